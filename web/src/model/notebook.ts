/** The shared document's shape, and every operation on cells, as pure functions over a Y.Doc. */
import * as Y from 'yjs'
import { between, spread } from './position'
import { splitsPair } from './text'
import type { CellId } from './wire'

export type CellType = 'code' | 'markdown' | 'raw'
export type CellMap = Y.Map<unknown>

/** The origin of what undo takes back: operations on whole cells by this tab. */
export const CELL_OPERATION = Symbol('cell operation')
/** The origin of what prepares them and is not undone: new cells are born deleted, and then shown. */
const PREPARATION = Symbol('preparation')

export interface Draft {
  readonly type: CellType
  readonly source?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly attachments?: Readonly<Record<string, unknown>>
}

export const cellsOf = (doc: Y.Doc): Y.Map<CellMap> => doc.getMap<CellMap>('cells')
export const cellOf = (doc: Y.Doc, id: CellId): CellMap | undefined => cellsOf(doc).get(id)
export const typeOf = (cell: CellMap): CellType => cell.get('t') as CellType
export const textOf = (cell: CellMap): Y.Text => cell.get('source') as Y.Text
export const isDeleted = (cell: CellMap): boolean => Boolean(cell.get('del'))
/** An entry without its parts is no cell: nobody shows it, counts it or sends it. */
export const isCell = (cell: CellMap): boolean => typeof cell.get('t') === 'string' && typeof cell.get('pos') === 'string' && cell.get('source') instanceof Y.Text
const positionOf = (cell: CellMap): string => cell.get('pos') as string

/** The cells on the page, in order. */
export function order(doc: Y.Doc): CellId[] {
  const present: [string, CellId][] = []
  cellsOf(doc).forEach((cell, id) => {
    if (isCell(cell) && !isDeleted(cell)) present.push([positionOf(cell), id])
  })
  present.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
  return present.map(([, id]) => id)
}

export function newCellId(): CellId {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => letters[byte & 63]!).join('')
}

/** Insert cells after `after`, or at the head when it is null. */
export function insert(doc: Y.Doc, after: CellId | null, drafts: readonly Draft[], by: string): CellId[] {
  const ids = prepare(doc, after, drafts, by)
  doc.transact(() => reveal(doc, ids), CELL_OPERATION)
  return ids
}

export function remove(doc: Y.Doc, ids: readonly CellId[], by: string): void {
  doc.transact(() => hide(doc, ids, by), CELL_OPERATION)
}

/** Move cells one step up (-1) or down (1), keeping their order among themselves. */
export function move(doc: Y.Doc, ids: readonly CellId[], by: -1 | 1): void {
  const all = order(doc)
  const moving = new Set(ids)
  const places = all.flatMap((id, index) => (moving.has(id) ? [index] : []))
  const first = places[0]
  const last = places.at(-1)
  if (first === undefined || last === undefined) return
  const target = by < 0 ? first - 1 : last + 1
  if (target < 0 || target >= all.length) return
  const rest = all.filter((id) => !moving.has(id))
  const anchor = rest.indexOf(all[target]!)
  const [low, high] = by < 0 ? [rest[anchor - 1], rest[anchor]] : [rest[anchor], rest[anchor + 1]]
  place(doc, all.filter((id) => moving.has(id)), low ?? null, high ?? null)
}

/** Put cells right after another one, or at the head when it is null, keeping their order among themselves. */
export function moveAfter(doc: Y.Doc, ids: readonly CellId[], after: CellId | null): void {
  const all = order(doc)
  const moving = new Set(ids)
  const rest = all.filter((id) => !moving.has(id))
  // Dropped beside one of themselves, they stay behind what stands before it.
  const last = after === null ? -1 : all.indexOf(after)
  if (after !== null && last < 0) return
  const low = all.slice(0, last + 1).findLast((id) => !moving.has(id)) ?? null
  const high = rest[low === null ? 0 : rest.indexOf(low) + 1] ?? null
  const inOrder = all.filter((id) => moving.has(id))
  const target = [...rest.slice(0, low === null ? 0 : rest.indexOf(low) + 1), ...inOrder]
  if (inOrder.length === 0 || target.every((id, at) => all[at] === id)) return
  place(doc, inOrder, low, high)
}

export function duplicate(doc: Y.Doc, ids: readonly CellId[], by: string): CellId[] {
  const chosen = new Set(ids)
  const inOrder = order(doc).filter((id) => chosen.has(id))
  const drafts = inOrder.map((id) => copyOf(cellOf(doc, id)!))
  return insert(doc, inOrder.at(-1) ?? null, drafts, by)
}

/** Cut a cell at these offsets; gives the ids of the new cells, which follow it. */
export function split(doc: Y.Doc, id: CellId, at: readonly number[], by: string): CellId[] {
  const cell = cellOf(doc, id)
  if (!cell) return []
  const text = textOf(cell)
  const source = text.toString()
  const whole = at.map((offset) => (splitsPair(source, offset) ? offset + 1 : offset))
  const cuts = [...new Set(whole)].sort((a, b) => a - b)
  if (cuts.length === 0) return []
  const head = source.slice(0, cuts[0]).replace(/\n$/, '')
  const tails = cuts.map((cut, index) => {
    const tail = source.slice(cut, cuts[index + 1]).replace(/^\n/, '')
    return index < cuts.length - 1 ? tail.replace(/\n$/, '') : tail
  })
  const ids = prepare(doc, id, tails.map((tail) => ({ ...copyOf(cell), source: tail })), by)
  doc.transact(() => {
    text.delete(head.length, source.length - head.length)
    reveal(doc, ids)
  }, CELL_OPERATION)
  return ids
}

/** Join neighbours into the first of them; gives its id. */
export function merge(doc: Y.Doc, ids: readonly CellId[], by: string): CellId | null {
  const chosen = new Set(ids)
  const inOrder = order(doc).filter((id) => chosen.has(id))
  const [first, ...rest] = inOrder
  if (first === undefined || rest.length === 0) return null
  const cell = cellOf(doc, first)!
  const gap = typeOf(cell) === 'markdown' ? '\n\n' : '\n'
  const more = rest.map((id) => textOf(cellOf(doc, id)!).toString())
  doc.transact(() => {
    textOf(cell).insert(textOf(cell).length, gap + more.join(gap))
    hide(doc, rest, by)
  }, CELL_OPERATION)
  return first
}

export function convert(doc: Y.Doc, ids: readonly CellId[], type: CellType): void {
  doc.transact(() => {
    for (const id of ids) {
      const cell = cellOf(doc, id)
      if (cell && typeOf(cell) !== type) cell.set('t', type)
    }
  }, CELL_OPERATION)
}

/** Say something else in a cell, changing no more than what differs. */
export function rewrite(doc: Y.Doc, id: CellId, source: string): void {
  const cell = cellOf(doc, id)
  if (!cell) return
  const text = textOf(cell)
  const was = text.toString()
  let head = 0
  while (head < Math.min(was.length, source.length) && was[head] === source[head]) head++
  while (splitsPair(was, head) || splitsPair(source, head)) head--
  let tail = 0
  while (tail < Math.min(was.length, source.length) - head && was[was.length - 1 - tail] === source[source.length - 1 - tail]) tail++
  while (splitsPair(was, was.length - tail) || splitsPair(source, source.length - tail)) tail--
  doc.transact(() => {
    if (was.length - head - tail > 0) text.delete(head, was.length - head - tail)
    if (source.length - head - tail > 0) text.insert(head, source.slice(head, source.length - tail))
  }, CELL_OPERATION)
}

/** Undo for operations on cells: takes back this tab's own, never a colleague's. */
export function cellHistory(doc: Y.Doc): Y.UndoManager {
  return new Y.UndoManager(cellsOf(doc), { trackedOrigins: new Set([CELL_OPERATION]), captureTimeout: 0 })
}

/**
 * Take back the last operation on cells. An insertion that is taken back hides the cell; where colleagues have written
 * into it meanwhile, it stays. Gives the cells that stayed.
 */
export function undo(doc: Y.Doc, history: Y.UndoManager): CellId[] {
  const before = order(doc)
  history.undo()
  const present = new Set(order(doc))
  const stay = before.filter((id) => !present.has(id) && hasForeignText(textOf(cellOf(doc, id)!), doc.clientID))
  if (stay.length > 0) doc.transact(() => reveal(doc, stay), PREPARATION)
  return stay
}

/** Whether something that is still to be read was typed by another client. */
function hasForeignText(text: Y.Text, own: number): boolean {
  for (let item = text._start; item !== null; item = item.right) if (!item.deleted && item.countable && item.id.client !== own) return true
  return false
}

/** What a copy of a cell begins with: all of it but the marks of one particular cell or run. */
export function copyOf(cell: CellMap): Draft {
  const draft = draftOf(cell)
  return { ...draft, metadata: unmarked(draft.metadata ?? {}) }
}

/** Colab writes a cell's id and its last run into the metadata as well. */
export function unmarked(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { id: _id, outputId: _output, executionInfo: _run, ...rest } = metadata
  return rest
}

export function draftOf(cell: CellMap): Draft {
  return {
    type: typeOf(cell),
    source: textOf(cell).toString(),
    metadata: (cell.get('md') as Y.Map<unknown> | undefined)?.toJSON() ?? {},
    attachments: (cell.get('att') as Y.Map<unknown> | undefined)?.toJSON() ?? {},
  }
}

/**
 * Cells are born deleted, outside of undo's sight, and shown by the operation itself. So undoing an insertion hides
 * the cell with all that colleagues have typed into it, where removing it would destroy their text.
 */
function prepare(doc: Y.Doc, after: CellId | null, drafts: readonly Draft[], by: string): CellId[] {
  const all = order(doc)
  const index = after === null ? -1 : all.indexOf(after)
  const low = index < 0 ? (after === null ? null : (all.at(-1) ?? null)) : all[index]!
  const high = low === null ? (all[0] ?? null) : (all[all.indexOf(low) + 1] ?? null)
  const keys = spread(keyOf(doc, low), keyOf(doc, high), drafts.length)
  const ids = drafts.map(newCellId)
  doc.transact(() => {
    drafts.forEach((draft, at) => {
      const cell: CellMap = new Y.Map()
      cell.set('t', draft.type)
      cell.set('pos', keys[at]!)
      cell.set('source', new Y.Text(draft.source ?? ''))
      cell.set('md', new Y.Map(Object.entries(draft.metadata ?? {})))
      cell.set('att', new Y.Map(Object.entries(draft.attachments ?? {})))
      cell.set('del', { by, at: Date.now() })
      cellsOf(doc).set(ids[at]!, cell)
    })
  }, PREPARATION)
  return ids
}

function reveal(doc: Y.Doc, ids: readonly CellId[]): void {
  for (const id of ids) cellOf(doc, id)?.set('del', null)
}

function hide(doc: Y.Doc, ids: readonly CellId[], by: string): void {
  for (const id of ids) {
    const cell = cellOf(doc, id)
    if (cell && !isDeleted(cell)) cell.set('del', { by, at: Date.now() })
  }
}

function place(doc: Y.Doc, ids: readonly CellId[], low: CellId | null, high: CellId | null): void {
  doc.transact(() => {
    let key = keyOf(doc, low)
    for (const id of ids) {
      key = between(key, keyOf(doc, high))
      cellOf(doc, id)?.set('pos', key)
    }
  }, CELL_OPERATION)
}

function keyOf(doc: Y.Doc, id: CellId | null): string | null {
  const cell = id === null ? undefined : cellOf(doc, id)
  return cell ? positionOf(cell) : null
}
