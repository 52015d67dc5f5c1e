/** Bringing back what was, with the way back in the corner. */
import { t } from '../../i18n'
import { history } from '../../api/history'
import type { CellId } from '../../model/wire'
import { notify, notifyError } from '../kit'

/** What these cells said (null: the notebook) in a revision; whether that could be done. */
export async function restore(notebook: string, number: number, cells: readonly CellId[] | null, outputs: boolean): Promise<boolean> {
  try {
    const done = await history.restore(notebook, number, { cells: cells === null ? null : [...cells], outputs })
    const whole = cells === null
    const { undo } = done
    if (!done.changed || undo === null) notify({ title: whole ? t('The notebook says that already') : t('The cell says that already') })
    else notify({ title: whole ? t('The notebook was restored') : t('The cell was restored'), kind: 'good', stays: true, action: { label: t('Undo'), run: () => void takeBack(notebook, undo) } })
    return true
  } catch (cause) {
    notifyError(t('Nothing was restored'), cause)
    return false
  }
}

async function takeBack(notebook: string, number: number): Promise<void> {
  try {
    await history.undo(notebook, number)
    notify({ title: t('The restore was taken back'), detail: t('What was written since is still there.'), kind: 'good' })
  } catch (cause) {
    notifyError(t('The restore was not taken back'), cause)
  }
}
