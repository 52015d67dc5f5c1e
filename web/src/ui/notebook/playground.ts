/** The way into a playground, and what is to be run there. */
import { navigate } from 'wouter/use-browser-location'
import { t } from '../../i18n'
import { drive } from '../../api/drive'
import type { CellId, NotebookId } from '../../model/wire'
import { notifyError } from '../kit'

/** Known to this tab alone: an address never runs anything. */
let awaited: { readonly notebook: NotebookId; readonly cell: CellId } | null = null

/** The playground that is being deleted: until it is gone, it would be given out again. */
let leaving: Promise<void> = Promise.resolve()

/** Go to one's own playground of a notebook, and run this cell there. */
export async function openPlayground(original: NotebookId, cell: CellId | null): Promise<void> {
  try {
    await leaving
    const { id, url } = await drive.playground(original)
    awaited = cell === null ? null : { notebook: id, cell }
    navigate(url)
  } catch (cause) {
    notifyError(t('No playground could be opened'), cause)
  }
}

/** Go back to the original, and delete the playground. */
export function discardPlayground(playground: NotebookId, original: NotebookId): void {
  navigate(`/notebooks/${original}`)
  leaving = drive.discardPlayground(playground).catch((cause: unknown) => notifyError(t('The playground was not discarded'), cause))
}

/** What was to be run in this notebook; once. */
export function takeAwaited(notebook: NotebookId): CellId | null {
  const cell = awaited?.notebook === notebook ? awaited.cell : null
  if (cell !== null) awaited = null
  return cell
}
