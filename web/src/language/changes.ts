/** What the language server wants changed, written into the notebook: in one step, as far as it still fits. */
import type * as Y from 'yjs'
import { factsOf } from '../model/facts'
import { CELL_OPERATION, cellOf, textOf } from '../model/notebook'
import type { CellEdits } from './language'
import type { Position, TextEdit } from './protocol'

/** Offsets at which the lines begin. */
function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

export function offsetOf(text: string, { line, character }: Position, starts = lineStarts(text)): number {
  const start = starts[line]
  if (start === undefined) return text.length
  const end = starts[line + 1] === undefined ? text.length : starts[line + 1]! - 1
  return Math.min(end, start + character)
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  const line = before.split('\n').length - 1
  return { line, character: offset - (before.lastIndexOf('\n') + 1) }
}

export interface Changed {
  readonly cells: number
  readonly places: number
  /** Cells that nobody may change. */
  readonly locked: number
}

/** Change what may be changed, as one step of undo. */
export function change(doc: Y.Doc, edits: CellEdits): Changed {
  let cells = 0
  let places = 0
  let locked = 0
  doc.transact(() => {
    for (const [id, wanted] of edits) {
      const cell = cellOf(doc, id)
      if (!cell) continue
      if (factsOf(cell).readOnly) {
        locked += 1
        continue
      }
      const text = textOf(cell)
      const stretches = ordered(text.toString(), wanted)
      for (const { from, to, insert } of stretches) {
        if (to > from) text.delete(from, to - from)
        if (insert !== '') text.insert(from, insert)
      }
      if (stretches.length > 0) cells += 1
      places += stretches.length
    }
  }, CELL_OPERATION)
  return { cells, places, locked }
}

/** From the last to the first, so that none moves another; one that reaches into another is left out. */
function ordered(text: string, edits: readonly TextEdit[]): { readonly from: number; readonly to: number; readonly insert: string }[] {
  const starts = lineStarts(text)
  const all = edits.map(({ range, text: insert }) => ({ from: offsetOf(text, range.start, starts), to: offsetOf(text, range.end, starts), insert }))
  let before = Infinity
  return all
    .sort((a, b) => b.from - a.from)
    .filter(({ from, to }) => {
      if (to < from || to > before) return false
      before = from
      return true
    })
}
