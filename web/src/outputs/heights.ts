/** How tall each cell's frame was, kept for this tab, so that the page does not jump when frames are made again. */
import type { CellId, NotebookId } from '../model/wire'

const REST_MS = 400
const CELLS_MAX = 2000

const keyOf = (notebook: NotebookId) => `collegium/heights/${notebook}`
const known = new Map<NotebookId, Map<CellId, number>>()
const waiting = new Set<NotebookId>()

function heightsOf(notebook: NotebookId): Map<CellId, number> {
  let heights = known.get(notebook)
  if (heights === undefined) {
    heights = new Map(read(notebook))
    known.set(notebook, heights)
  }
  return heights
}

function read(notebook: NotebookId): readonly [CellId, number][] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(notebook)) ?? '[]')
    return Array.isArray(kept) ? kept.filter((one): one is [CellId, number] => Array.isArray(one) && typeof one[0] === 'string' && Number.isFinite(one[1])) : []
  } catch {
    // Storage may be denied to this page, or hold something else's text: then nothing is known.
    return []
  }
}

export const heightOf = (notebook: NotebookId, cell: CellId): number | undefined => heightsOf(notebook).get(cell)

export function rememberHeight(notebook: NotebookId, cell: CellId, pixels: number): void {
  const heights = heightsOf(notebook)
  heights.delete(cell)
  heights.set(cell, pixels)
  if (waiting.has(notebook)) return
  waiting.add(notebook)
  setTimeout(() => {
    waiting.delete(notebook)
    try {
      sessionStorage.setItem(keyOf(notebook), JSON.stringify([...heights].slice(-CELLS_MAX)))
    } catch {
      // As above, or it is full: the heights then last as long as the page.
    }
  }, REST_MS)
}
