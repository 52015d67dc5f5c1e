/**
 * How tall the outputs of the first cells were. The cells come from this browser's copy and their outputs a moment
 * later from the server: room is kept for them, so that nothing moves when they come.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { CellId, NotebookId } from '../../model/wire'
import type { Desk } from './desk'

/** As many as are on the page before the server has spoken. */
const CELLS_KEPT = 30
/** A server that has let this page in tells at once what every cell shows; what is silent by then shows nothing. */
const SPOKEN_MS = 1000

type Heights = ReadonlyMap<CellId, number>
const NONE: Heights = new Map()
const awaited = new WeakMap<Desk, StoreApi<Heights>>()
const keyOf = (notebook: NotebookId) => `collegium/outputs/${notebook}`

/** The room to keep for cells whose outputs are not here yet; nothing once the server has spoken, or cannot. */
export function awaitedOf(desk: Desk): StoreApi<Heights> {
  let heights = awaited.get(desk)
  if (heights === undefined) {
    const made = (heights = createStore<Heights>(() => read(desk.id)))
    awaited.set(desk, made)
    const stop = desk.room.state.subscribe(({ connection }) => {
      if (connection === 'connecting') return
      stop()
      setTimeout(() => made.setState(NONE, true), connection === 'online' ? SPOKEN_MS : 0)
    })
  }
  return heights
}

/** Write the heights down whenever the cells leave the screen for good; gives its farewell. */
export function keepHeights(desk: Desk): () => void {
  const keep = () => {
    const { shown } = desk.folding.layout.getState()
    const heights = shown.slice(0, CELLS_KEPT).flatMap((id) => {
      const output = desk.placeOf(id)?.querySelector<HTMLElement>(':scope > .cell-row > .cell-body > .output')
      return output ? [[id, output.getBoundingClientRect().height] as const] : []
    })
    try {
      sessionStorage.setItem(keyOf(desk.id), JSON.stringify(heights))
    } catch {
      // Storage may be denied to this page, or be full: the cells then move, as on a first visit.
    }
  }
  addEventListener('pagehide', keep)
  return () => {
    keep()
    removeEventListener('pagehide', keep)
  }
}

function read(notebook: NotebookId): Heights {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(notebook)) ?? '[]')
    return new Map(Array.isArray(kept) ? kept.filter((one): one is [CellId, number] => Array.isArray(one) && typeof one[0] === 'string' && Number.isFinite(one[1])) : [])
  } catch {
    // As above, or it holds something else's text.
    return NONE
  }
}
