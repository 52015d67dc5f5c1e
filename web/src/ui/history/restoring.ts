/** Bringing back what was, with the way back in the corner. */
import { t } from '../../i18n'
import { history } from '../../api/history'
import type { CellId } from '../../model/wire'
import { notify, notifyError } from '../kit'

/** What these cells said (null: the notebook) in a revision; whether that could be done. */
export async function restore(notebook: string, number: number, cells: readonly CellId[] | null, outputs: boolean): Promise<boolean> {
  try {
    const done = await history.restore(notebook, number, { cells: cells === null ? null : [...cells], outputs })
    const what = cells === null ? 'The notebook' : 'The cell'
    const { undo } = done
    if (!done.changed || undo === null) notify({ title: t('{what} says that already', { what }) })
    else notify({ title: t('{what} was restored', { what }), kind: 'good', stays: true, action: { label: t('Undo'), run: () => void takeBack(notebook, undo) } })
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
