/** Which field of which form the dialog is about. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { CellId } from '../../model/wire'
import type { Desk } from '../notebook/desk'

export interface AskedField {
  readonly cell: CellId
  /** The line of the field, from 0; null: a new one. */
  readonly line: number | null
}

export const askedField: StoreApi<AskedField | null> = createStore<AskedField | null>(() => null)

export function askForField(desk: Desk, cell: CellId, line: number | null): void {
  askedField.setState({ cell, line }, true)
  desk.open('form-field')
}
