/** Whole sections put somewhere else, from the table of contents. */
import type { CellId } from '../../model/wire'
import { moveAfter } from '../notebook/arranging'
import type { Desk } from '../notebook/desk'
import { whole } from '../notebook/folding'

/** Put a section above another one's heading, or below all of it. */
export function arranged(desk: Desk, cell: CellId, target: CellId, side: 'above' | 'below'): void {
  const ids = whole(desk, cell)
  if (ids.length === 0 || ids.includes(target)) return
  const order = desk.outline.current()
  const after = side === 'above' ? (order[order.indexOf(target) - 1] ?? null) : whole(desk, target).at(-1)!
  moveAfter(desk, ids, after)
}
