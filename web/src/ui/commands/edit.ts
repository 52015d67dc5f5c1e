/** The Edit menu: what is done with whole cells. */
import * as arranging from '../notebook/arranging'
import { copy, cut, paste } from '../notebook/clipboard'
import { copyLink } from '../notebook/links'
import { type Command, focused, order } from './model'

export const EDIT: readonly Command[] = [
  { id: 'undo', name: 'Undo cell operation', menu: 'Edit', group: 1, keys: ['Mod+M Z'], needs: 'write', enabled: (desk) => desk.history.canUndo(), run: (desk) => desk.undo() },
  { id: 'redo', name: 'Redo cell operation', menu: 'Edit', group: 1, keys: ['Mod+Shift+Y'], needs: 'write', enabled: (desk) => desk.history.canRedo(), run: (desk) => desk.redo() },
  { id: 'select-all', name: 'Select all cells', menu: 'Edit', group: 2, keys: ['Mod+Shift+A'], run: (desk) => desk.act({ do: 'choose', cells: order(desk) }) },
  { id: 'select-cell', name: 'Select cell', menu: 'Edit', group: 1, keys: ['Mod+Shift+S'], enabled: focused, run: (desk) => desk.goTo(desk.view.getState().focused!) },
  { id: 'cut', name: 'Cut cells', menu: 'Edit', group: 2, cell: { group: 1 }, keys: ['Mod+M X'], needs: 'write', enabled: focused, run: cut },
  { id: 'copy', name: 'Copy cells', menu: 'Edit', group: 2, cell: { group: 1 }, keys: ['Mod+M C'], enabled: focused, run: (desk) => void copy(desk) },
  { id: 'copy-json', name: 'Copy cells for JupyterLab', menu: 'Edit', group: 2, enabled: focused, run: (desk) => void copy(desk, 'json') },
  { id: 'paste', name: 'Paste cells below', menu: 'Edit', group: 2, cell: { group: 1 }, keys: ['Mod+M V'], needs: 'write', run: (desk) => void paste(desk) },
  { id: 'duplicate', name: 'Duplicate cells', menu: 'Edit', group: 2, needs: 'write', enabled: focused, run: (desk) => arranging.duplicate(desk, desk.chosen) },
  { id: 'delete', name: 'Delete cells', menu: 'Edit', group: 2, keys: ['Mod+M D'], needs: 'write', enabled: focused, run: (desk) => arranging.remove(desk, desk.chosen) },
  { id: 'up', name: 'Move cells up', menu: 'Edit', group: 3, keys: ['Mod+M K'], needs: 'write', enabled: focused, run: (desk) => arranging.move(desk, desk.chosen, -1) },
  { id: 'down', name: 'Move cells down', menu: 'Edit', group: 3, keys: ['Mod+M J'], needs: 'write', enabled: focused, run: (desk) => arranging.move(desk, desk.chosen, 1) },
  { id: 'to-top', name: 'Move cells to the top', menu: 'Edit', group: 3, cell: { group: 2 }, needs: 'write', enabled: focused, run: (desk) => arranging.moveToEnd(desk, desk.chosen, 'top') },
  { id: 'to-bottom', name: 'Move cells to the bottom', menu: 'Edit', group: 3, cell: { group: 2 }, needs: 'write', enabled: focused, run: (desk) => arranging.moveToEnd(desk, desk.chosen, 'bottom') },
  { id: 'split', name: 'Split cell at the cursor', menu: 'Edit', group: 3, keys: ['Mod+M -'], needs: 'write', enabled: focused, run: arranging.split },
  { id: 'merge', name: 'Merge with the cell below', menu: 'Edit', group: 3, cell: { group: 2 }, keys: ['Mod+M /'], needs: 'write', enabled: focused, run: (desk) => arranging.merge(desk, 1) },
  { id: 'merge-above', name: 'Merge with the cell above', menu: 'Edit', group: 3, cell: { group: 2 }, keys: ['Mod+M ?'], needs: 'write', enabled: focused, run: (desk) => arranging.merge(desk, -1) },
  { id: 'to-code', name: 'Make it a code cell', menu: 'Edit', group: 4, cell: { group: 2, types: ['markdown', 'raw'] }, keys: ['Mod+M Y'], needs: 'write', enabled: focused, run: (desk) => arranging.convert(desk, 'code') },
  { id: 'to-text', name: 'Make it a text cell', menu: 'Edit', group: 4, cell: { group: 2, types: ['code', 'raw'] }, keys: ['Mod+M M'], needs: 'write', enabled: focused, run: (desk) => arranging.convert(desk, 'markdown') },
  { id: 'to-raw', name: 'Make it a raw cell', menu: 'Edit', group: 4, keys: ['Mod+M R'], needs: 'write', enabled: focused, run: (desk) => arranging.convert(desk, 'raw') },
  {
    id: 'read-only', name: 'Mark cell as read-only', menu: 'Edit', group: 4, cell: { group: 4 }, needs: 'write', enabled: focused,
    checked: (desk) => arranging.isReadOnly(desk, desk.view.getState().focused), run: (desk) => arranging.toggleLock(desk, desk.chosen),
  },
  { id: 'cell-link', name: 'Copy link to cell', menu: 'Edit', group: 5, enabled: focused, run: (desk) => void copyLink(desk.view.getState().focused!) },
  { id: 'notebook-settings', name: 'Notebook settings', menu: 'Edit', group: 6, run: (desk) => desk.open('notebook-settings') },
  { id: 'clear-cells', name: 'Clear outputs of the selected cells', menu: 'Edit', group: 6, cell: { group: 0, types: ['code'] }, needs: 'run', enabled: focused, run: (desk) => desk.session.clear(desk.chosen) },
  { id: 'clear', name: 'Clear all outputs', menu: 'Edit', group: 6, needs: 'run', run: (desk) => desk.session.clear('all') },
]
