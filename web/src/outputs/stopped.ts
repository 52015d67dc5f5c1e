/** Outputs that did not answer, kept for this tab, so that a page that is loaded again does not hang on them once more. */
import type { CellId, ExecutionId, NotebookId } from '../model/wire'

const OUTPUTS_MAX = 100

const keyOf = (notebook: NotebookId) => `collegium/stopped/${notebook}`
/** What another run of the cell puts out is another output. */
const nameOf = (cell: CellId, execution: ExecutionId | null) => `${cell} ${execution ?? ''}`

function read(notebook: NotebookId): readonly string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(notebook)) ?? '[]')
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string') : []
  } catch {
    // Storage may be denied to this page, or hold something else's text: then nothing is known.
    return []
  }
}

export function wasStopped(notebook: NotebookId, cell: CellId, execution: ExecutionId | null): boolean {
  return read(notebook).includes(nameOf(cell, execution))
}

/** From now on it waits for a click, or, `stopped` false, does not any more. */
export function rememberStopped(notebook: NotebookId, cell: CellId, execution: ExecutionId | null, stopped: boolean): void {
  const name = nameOf(cell, execution)
  const others = read(notebook).filter((one) => one !== name)
  try {
    sessionStorage.setItem(keyOf(notebook), JSON.stringify(stopped ? [...others, name].slice(-OUTPUTS_MAX) : others))
  } catch {
    // As above, or it is full: it is then forgotten with the page.
  }
}
