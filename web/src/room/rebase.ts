/** Edits made on one life of a document, brought into the next one as ordinary edits: three-way, cell by cell. */
import * as Y from 'yjs'
import { type CellMap, cellOf, cellsOf, draftOf, isCell, isDeleted, order, textOf } from '../model/notebook'
import { between } from '../model/position'
import type { CellId } from '../model/wire'
import { merge, steps } from './merge'

/** The origin of these edits. */
export const REBASE = Symbol('rebase')

export interface Versions {
  readonly cell: CellId
  readonly ours: string
  /** Null: the cell is not there any more. */
  readonly theirs: string | null
}

export function docOf(update: Uint8Array): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc
}

/** Brings in what fits; gives the cells whose text a person must look at. Doing it again changes nothing. */
export function rebase(doc: Y.Doc, base: Y.Doc, ours: Y.Doc, by: string): CellId[] {
  const left: CellId[] = []
  doc.transact(() => {
    cellsOf(ours).forEach((mine, id) => {
      if (!isCell(mine)) return
      const before = cellOf(base, id)
      const theirs = cellOf(doc, id)
      if (!theirs || !isCell(theirs)) {
        if (changed(before, mine) && !isDeleted(mine)) adopt(doc, ours, id)
      } else if (!bring(before, mine, theirs, by)) left.push(id)
    })
  }, REBASE)
  return left
}

/** What this browser has of these cells, and what is in the notebook now. */
export function versions(doc: Y.Doc, ours: Y.Doc, cells: readonly CellId[]): Versions[] {
  return cells.flatMap((id) => {
    const mine = cellOf(ours, id)
    if (!mine || !isCell(mine)) return []
    const theirs = cellOf(doc, id)
    const there = theirs && isCell(theirs) && !isDeleted(theirs) ? textOf(theirs).toString() : null
    const text = textOf(mine).toString()
    return text === there ? [] : [{ cell: id, ours: text, theirs: there }]
  })
}

/** The cells that this browser changed. */
export function touched(base: Y.Doc, ours: Y.Doc): CellId[] {
  return order(ours).filter((id) => changed(cellOf(base, id), cellOf(ours, id)!))
}

export function write(cell: CellMap, text: string): void {
  let moved = 0
  for (const { at, remove, insert } of steps(textOf(cell).toString(), text)) {
    if (remove > 0) textOf(cell).delete(at + moved, remove)
    if (insert !== '') textOf(cell).insert(at + moved, insert)
    moved += insert.length - remove
  }
}

/** Put a cell of this browser where it stood here. */
export function adopt(doc: Y.Doc, ours: Y.Doc, id: CellId): void {
  const ids = order(ours)
  const present = new Set(order(doc))
  const above = ids.slice(0, ids.indexOf(id)).findLast((one) => present.has(one))
  const after = above === undefined ? [...present][0] : [...present][[...present].indexOf(above) + 1]
  const key = (one: CellId | undefined) => (one === undefined ? null : (cellOf(doc, one)!.get('pos') as string))
  const { type, source, metadata, attachments } = draftOf(cellOf(ours, id)!)
  const cell: CellMap = new Y.Map()
  cell.set('t', type)
  cell.set('pos', between(key(above), key(after)))
  cell.set('source', new Y.Text(source ?? ''))
  cell.set('md', new Y.Map(Object.entries(metadata ?? {})))
  cell.set('att', new Y.Map(Object.entries(attachments ?? {})))
  cell.set('del', null)
  cellsOf(doc).set(id, cell)
}

function changed(before: CellMap | undefined, mine: CellMap): boolean {
  return !before || !isCell(before) || textOf(before).toString() !== textOf(mine).toString()
}

/** Whether all of it fitted. */
function bring(before: CellMap | undefined, mine: CellMap, theirs: CellMap, by: string): boolean {
  const base = before && isCell(before) ? before : undefined
  const source = base ? textOf(base).toString() : ''
  const ours = textOf(mine).toString()
  const now = textOf(theirs).toString()
  if (isDeleted(theirs) && !(base && isDeleted(base))) return isDeleted(mine) || ours === source
  const { text, clashes } = merge(source, ours, now)
  // What others went on writing is not deleted over their heads.
  const gone = isDeleted(mine) && !(base && isDeleted(base))
  if (gone && now === source) theirs.set('del', { by, at: Date.now() })
  if (gone) return true
  if (text !== now) write(theirs, text)
  for (const key of ['t', 'pos']) keep(base, mine, theirs, key)
  if (base && isDeleted(base) && !isDeleted(mine) && isDeleted(theirs)) theirs.set('del', null)
  for (const part of ['md', 'att']) {
    const [was, is, there] = [base?.get(part), mine.get(part), theirs.get(part)]
    if (!(is instanceof Y.Map) || !(there instanceof Y.Map)) continue
    for (const key of is.keys()) keep(was instanceof Y.Map ? was : undefined, is, there, key)
  }
  return !clashes
}

/** One value, where only this browser changed it. */
function keep(before: Y.Map<unknown> | undefined, mine: Y.Map<unknown>, theirs: Y.Map<unknown>, key: string): void {
  const [was, is, there] = [before?.get(key), mine.get(key), theirs.get(key)].map((value) => JSON.stringify(value))
  if (is !== was && there === was && is !== undefined) theirs.set(key, mine.get(key))
}
