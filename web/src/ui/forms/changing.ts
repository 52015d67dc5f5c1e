/** What a form's fields and dialogs do to a cell's source: the least of it, as one step of undo. */
import { CELL_OPERATION, type CellMap, textOf } from '../../model/notebook'
import { type Form, type Param, parseForm } from '../../model/forms'
import type { CellId } from '../../model/wire'
import type { Desk } from '../notebook/desk'

const AUTO_REST_MS = 400
const waiting = new Map<CellId, ReturnType<typeof setTimeout>>()

/** Write another value; false when the field is not there any more as it was shown. */
export function setValue(desk: Desk, cell: CellMap, param: Param, code: string): boolean {
  const text = textOf(cell)
  const now = parseForm(text.toString())?.rows.find((row): row is Param => row.kind === 'param' && row.line === param.line && row.name === param.name)
  if (!now) return false
  if (now.code === code) return true
  desk.room.doc.transact(() => {
    text.delete(now.from, now.to - now.from)
    text.insert(now.from, code)
  }, CELL_OPERATION)
  return true
}

/** Run the cell again after a change, if its title asks for that and a person has run it here. */
export function runAgain(desk: Desk, id: CellId, form: Form): void {
  if (!form.title?.auto || !desk.may('run') || !desk.session.run(id)?.live) return
  clearTimeout(waiting.get(id))
  waiting.set(id, setTimeout(() => {
    waiting.delete(id)
    desk.run([id])
  }, AUTO_REST_MS))
}

/** Put another line in the place of one (`line`, from 0), or behind the last line of the form when it is null. */
export function setLine(desk: Desk, cell: CellMap, line: number | null, words: string): void {
  const text = textOf(cell)
  const source = text.toString()
  const lines = source.split('\n')
  const form = parseForm(source)
  desk.room.doc.transact(() => {
    if (line !== null && line < lines.length) {
      const from = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0)
      text.delete(from, lines[line]!.length)
      text.insert(from, words)
      return
    }
    const last = Math.max(form?.title?.line ?? -1, ...(form?.rows.map((row) => row.line) ?? []))
    const before = lines.slice(0, last + 1).join('\n')
    if (last === -1) text.insert(0, source === '' ? words : `${words}\n`)
    else text.insert(before.length, `\n${words}`)
  }, CELL_OPERATION)
}
