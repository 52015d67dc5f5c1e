/** Forms: fields beside the code, that write into it. */
import { metadataOf } from '../../model/facts'
import { formMode, hasForm } from '../../model/formMark'
import { CELL_OPERATION, type CellMap, cellOf, textOf } from '../../model/notebook'
import { askForField } from '../forms/asked'
import { toggleCode } from '../forms/shownCode'
import type { Desk } from '../notebook/desk'
import type { Command } from './model'

const codeCell = (desk: Desk): CellMap | null => {
  const { focused } = desk.view.getState()
  return focused !== null && desk.type(focused) === 'code' ? (cellOf(desk.room.doc, focused) ?? null) : null
}
const sourceOf = (desk: Desk): string => {
  const cell = codeCell(desk)
  return cell ? textOf(cell).toString() : ''
}
const withForm = (desk: Desk): boolean => hasForm(sourceOf(desk))
const formOnly = (desk: Desk): boolean => {
  const cell = codeCell(desk)
  return cell !== null && formMode(textOf(cell).toString(), metadataOf(cell)?.get('cellView')) === 'form'
}

function addForm(desk: Desk): void {
  const cell = codeCell(desk)
  if (!cell) return
  desk.room.doc.transact(() => textOf(cell).insert(0, textOf(cell).length > 0 ? '# @title\n' : '# @title'), CELL_OPERATION)
  desk.goTo(desk.view.getState().focused!, true)
}

export const FORMS: readonly Command[] = [
  { id: 'add-form', name: 'Add a form', menu: 'Insert', group: 2, cell: { group: 3, types: ['code'] }, needs: 'write', enabled: (desk) => codeCell(desk) !== null && !withForm(desk), run: addForm },
  { id: 'add-form-field', name: 'Add a form field…', menu: 'Insert', group: 2, needs: 'write', enabled: (desk) => codeCell(desk) !== null, run: (desk) => askForField(desk, desk.view.getState().focused!, null) },
  { id: 'form-code', name: 'Show the code of a form', menu: 'View', group: 3, cell: { group: 3, types: ['code'] }, enabled: formOnly, run: (desk) => toggleCode(desk.view.getState().focused!) },
]
