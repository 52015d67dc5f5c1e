/** What this tab alone knows of how outputs are looked at. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { CellId } from '../../model/wire'
import type { Desk } from './desk'

export interface OutputLook {
  /** The cell whose outputs fill the screen. */
  readonly full: CellId | null
  /** Cells whose long lines run on to the right. */
  readonly unwrapped: ReadonlySet<CellId>
}

const looks = new WeakMap<Desk, StoreApi<OutputLook>>()

export function outputLook(desk: Desk): StoreApi<OutputLook> {
  let look = looks.get(desk)
  if (look === undefined) {
    look = createStore<OutputLook>(() => ({ full: null, unwrapped: new Set() }))
    looks.set(desk, look)
  }
  return look
}

export function turnWrap(desk: Desk, cell: CellId): void {
  outputLook(desk).setState(({ unwrapped }) => {
    const next = new Set(unwrapped)
    if (!next.delete(cell)) next.add(cell)
    return { unwrapped: next }
  })
}
