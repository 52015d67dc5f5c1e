/** Ways from cell to cell, by keys alone. */
import { type Command, focused } from './model'

const end = (at: 0 | -1): Command['run'] => (desk) => {
  const cell = desk.folding.layout.getState().shown.at(at)
  if (cell !== undefined) desk.goTo(cell)
}

export const CELLS: readonly Command[] = [
  { id: 'edit', name: 'Edit the cell', keys: ['Enter'], outside: true, enabled: focused, run: (desk) => desk.goTo(desk.view.getState().focused!, true) },
  { id: 'previous', name: 'Previous cell', keys: ['ArrowUp', 'K', 'Mod+M P'], outside: true, run: (desk) => desk.step(-1, false) },
  { id: 'next', name: 'Next cell', keys: ['ArrowDown', 'J', 'Mod+M N'], outside: true, run: (desk) => desk.step(1, false) },
  { id: 'extend-up', name: 'Select the cell above too', keys: ['Shift+ArrowUp'], outside: true, run: (desk) => desk.step(-1, true) },
  { id: 'extend-down', name: 'Select the cell below too', keys: ['Shift+ArrowDown'], outside: true, run: (desk) => desk.step(1, true) },
  { id: 'first', name: 'First cell', keys: ['Mod+Home'], run: end(0) },
  { id: 'last', name: 'Last cell', keys: ['Mod+End'], run: end(-1) },
]
