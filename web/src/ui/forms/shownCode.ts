/** Cells that show a form alone, and whose code this tab has opened: nobody else's page changes by it. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { CellId } from '../../model/wire'

export const shownCode: StoreApi<ReadonlySet<CellId>> = createStore<ReadonlySet<CellId>>(() => new Set())

export function toggleCode(id: CellId): void {
  const cells = new Set(shownCode.getState())
  if (!cells.delete(id)) cells.add(id)
  shownCode.setState(cells, true)
}
