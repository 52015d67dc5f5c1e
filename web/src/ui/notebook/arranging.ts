/** What is done with whole cells: made, deleted, moved, split, merged, converted, hidden, locked, and undone. */
import * as facts from '../../model/facts'
import * as notebook from '../../model/notebook'
import { above } from '../../model/sections'
import type { CellId } from '../../model/wire'
import { t, tn } from '../../i18n'
import { notify } from '../kit'
import type { Standing } from './standing'
import { whole } from './folding'

const factsOf = (desk: Standing, id: CellId): facts.Facts => {
  const cell = notebook.cellOf(desk.room.doc, id)
  return cell ? facts.factsOf(cell) : facts.PLAIN
}

/** Says why nothing was done when one of these cells may not be changed (or, to delete, must stay). */
export function refused(desk: Standing, ids: readonly CellId[], what: 'change' | 'delete'): boolean {
  const kept = ids.filter((id) => (what === 'delete' ? factsOf(desk, id).kept : factsOf(desk, id).readOnly))
  if (kept.length === 0) return false
  const readOnly = kept.some((id) => factsOf(desk, id).readOnly)
  notify({
    title: readOnly ? tn('This cell is read-only', '{count} of these cells are read-only', kept.length) : tn('This cell may not be deleted', '{count} of these cells may not be deleted', kept.length),
    detail: readOnly ? t('Somebody who may edit marked it so. “Mark cell as read-only” in its menu takes the mark away.') : t('Its metadata says so: “deletable” is false.'),
  })
  return true
}

export function insert(desk: Standing, type: notebook.CellType, after: CellId | null, source = ''): CellId {
  const [id] = notebook.insert(desk.room.doc, after, [{ type, source }], desk.me.id)
  if (type === 'markdown') desk.act({ do: 'open', cell: id! })
  desk.goTo(id!, true)
  return id!
}

export function remove(desk: Standing, ids: readonly CellId[]): void {
  if (ids.length === 0 || refused(desk, ids, 'delete')) return
  notebook.remove(desk.room.doc, ids, desk.me.id)
  const { focused } = desk.view.getState()
  if (focused !== null) desk.goTo(focused)
  notify({ title: tn('Cell deleted', '{count} cells deleted', ids.length), action: { label: t('Undo'), run: () => undo(desk) } })
}

/** One step past a neighbour that is on the page; a collapsed section goes past a whole one. */
export function move(desk: Standing, ids: readonly CellId[], by: -1 | 1): void {
  const { shown, sections } = desk.folding.layout.getState()
  const [first] = ids
  if (first !== undefined && sections.get(first)?.folded && whole(desk, first).length === ids.length) return moveSection(desk, first, by)
  const moving = new Set(ids)
  const places = shown.flatMap((id, at) => (moving.has(id) ? [at] : []))
  const to = by < 0 ? (places[0] ?? 0) - 2 : (places.at(-1) ?? shown.length) + 1
  if (places.length === 0 || to < -1 || to >= shown.length) return
  moveAfter(desk, ids, to < 0 ? null : sections.get(shown[to]!)?.folded ? whole(desk, shown[to]!).at(-1)! : shown[to]!)
}

/** Past what stands before or after it without parting another section of its rank. */
export function moveSection(desk: Standing, heading: CellId, by: -1 | 1): void {
  const order = desk.outline.current()
  const { sections } = desk.folding.layout.getState()
  const ids = whole(desk, heading)
  const level = sections.get(heading)?.level
  if (level === undefined) return
  const rank = (id: CellId) => sections.get(id)?.level ?? 0
  const at = order.indexOf(heading)
  if (by > 0) {
    const next = order[at + ids.length]
    if (next !== undefined) moveAfter(desk, ids, rank(next) === level ? whole(desk, next).at(-1)! : next)
    return
  }
  const before = order[at - 1]
  if (before === undefined) return
  const parted = [before, ...above(order, sections, before)].filter((id) => rank(id) >= level)
  moveAfter(desk, ids, order[order.indexOf(parted.at(-1) ?? before) - 1] ?? null)
}

export function moveToEnd(desk: Standing, ids: readonly CellId[], end: 'top' | 'bottom'): void {
  moveAfter(desk, ids, end === 'top' ? null : (desk.outline.current().at(-1) ?? null))
}

export function moveAfter(desk: Standing, ids: readonly CellId[], after: CellId | null): void {
  notebook.moveAfter(desk.room.doc, ids, after)
  const { focused } = desk.view.getState()
  if (focused !== null) requestAnimationFrame(() => desk.placeOf(focused)?.scrollIntoView({ block: 'nearest' }))
}

export function duplicate(desk: Standing, ids: readonly CellId[]): void {
  const copies = notebook.duplicate(desk.room.doc, ids, desk.me.id)
  if (copies[0] !== undefined) desk.goTo(copies[0])
}

/** At every cursor there is. */
export function split(desk: Standing): void {
  const { focused } = desk.view.getState()
  const at = focused === null ? [] : desk.cursors(focused)
  if (focused === null || at.length === 0 || refused(desk, [focused], 'change')) return
  const [next] = notebook.split(desk.room.doc, focused, at, desk.me.id)
  if (next === undefined) return
  if (desk.type(next) === 'markdown') desk.act({ do: 'open', cell: next })
  desk.goTo(next, true, 'start')
}

/** What is chosen, or a lone cell with its neighbour. */
export function merge(desk: Standing, by: -1 | 1): void {
  const other = desk.neighbour(by)
  const ids = desk.chosen.length > 1 ? desk.chosen : other === null ? [] : [...desk.chosen, other]
  if (refused(desk, ids, 'change')) return
  const first = notebook.merge(desk.room.doc, ids, desk.me.id)
  if (first !== null) desk.goTo(first)
}

export function convert(desk: Standing, type: notebook.CellType): void {
  const { focused } = desk.view.getState()
  const ids = desk.selected
  if (refused(desk, ids, 'change')) return
  notebook.convert(desk.room.doc, ids, type)
  if (focused !== null) desk.goTo(focused)
}

/** Show or hide the source or the outputs: for everybody, or here for who may not write. `ids` are given one state. */
export function toggleHidden(desk: Standing, what: 'source' | 'outputs', ids: readonly CellId[]): void {
  const code = ids.filter((id) => desk.type(id) === 'code')
  if (!desk.may('write')) return desk.act({ do: 'flip', what, cells: code })
  const hidden = code.some((id) => !(what === 'source' ? factsOf(desk, id).sourceHidden : factsOf(desk, id).outputsHidden))
  ;(what === 'source' ? facts.hideSource : facts.hideOutputs)(desk.room.doc, code, hidden)
}

export function toggleLock(desk: Standing, ids: readonly CellId[]): void {
  facts.lock(desk.room.doc, ids, ids.some((id) => !factsOf(desk, id).readOnly))
}

export const isReadOnly = (desk: Standing, id: CellId | null): boolean => id !== null && factsOf(desk, id).readOnly

export function undo(desk: Standing): void {
  const stayed = notebook.undo(desk.room.doc, desk.history)
  if (stayed.length > 0) notify({ title: tn('The cell stays', '{count} cells stay', stayed.length), detail: t('Somebody else has written in it since you added it.') })
}
