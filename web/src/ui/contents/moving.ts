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

/** Past the section of the same rank before or after it; nothing beyond those of its parent. */
export function moveSection(desk: Desk, cell: CellId, by: -1 | 1): void {
  const order = desk.outline.current()
  const { sections } = desk.folding.layout.getState()
  const ids = whole(desk, cell)
  const level = sections.get(cell)?.level
  if (level === undefined) return
  if (by > 0) {
    const next = order[order.indexOf(cell) + ids.length]
    if (next !== undefined && sections.get(next)?.level === level) moveAfter(desk, ids, whole(desk, next).at(-1)!)
    return
  }
  const before = order.slice(0, order.indexOf(cell)).findLast((id) => (sections.get(id)?.level ?? 7) <= level)
  if (before !== undefined && sections.get(before)?.level === level) arranged(desk, cell, before, 'above')
}
