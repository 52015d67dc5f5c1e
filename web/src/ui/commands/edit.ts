/** The Edit menu: what is done with whole cells. */
import { type Command, focused, order } from './model'

export const EDIT: readonly Command[] = [
  { id: 'undo', name: 'Undo cell operation', menu: 'Edit', group: 1, keys: ['Mod+M Z'], needs: 'write', enabled: (desk) => desk.history.canUndo(), run: (desk) => desk.undo() },
  { id: 'redo', name: 'Redo cell operation', menu: 'Edit', group: 1, keys: ['Mod+Shift+Y'], needs: 'write', enabled: (desk) => desk.history.canRedo(), run: (desk) => desk.redo() },
  { id: 'select-all', name: 'Select all cells', menu: 'Edit', group: 2, keys: ['Mod+Shift+A'], run: (desk) => desk.act({ do: 'choose', cells: order(desk) }) },
  { id: 'cut', name: 'Cut cells', menu: 'Edit', group: 2, keys: ['Mod+M X'], needs: 'write', enabled: focused, run: (desk) => desk.cut() },
  { id: 'copy', name: 'Copy cells', menu: 'Edit', group: 2, keys: ['Mod+M C'], enabled: focused, run: (desk) => desk.copy() },
  { id: 'paste', name: 'Paste cells below', menu: 'Edit', group: 2, keys: ['Mod+M V'], needs: 'write', enabled: (desk) => desk.canPaste, run: (desk) => desk.paste() },
  { id: 'duplicate', name: 'Duplicate cells', menu: 'Edit', group: 2, needs: 'write', enabled: focused, run: (desk) => desk.duplicate(desk.chosen) },
  { id: 'delete', name: 'Delete cells', menu: 'Edit', group: 2, keys: ['Mod+M D'], needs: 'write', enabled: focused, run: (desk) => desk.remove(desk.chosen) },
  { id: 'up', name: 'Move cells up', menu: 'Edit', group: 3, keys: ['Mod+M K'], needs: 'write', enabled: focused, run: (desk) => desk.move(desk.chosen, -1) },
  { id: 'down', name: 'Move cells down', menu: 'Edit', group: 3, keys: ['Mod+M J'], needs: 'write', enabled: focused, run: (desk) => desk.move(desk.chosen, 1) },
  { id: 'split', name: 'Split cell at the cursor', menu: 'Edit', group: 3, keys: ['Mod+M -'], needs: 'write', enabled: focused, run: (desk) => desk.split() },
  { id: 'merge', name: 'Merge cells', menu: 'Edit', group: 3, keys: ['Mod+M /'], needs: 'write', enabled: focused, run: (desk) => desk.merge() },
  { id: 'to-code', name: 'Make it a code cell', menu: 'Edit', group: 4, keys: ['Mod+M Y'], needs: 'write', enabled: focused, run: (desk) => desk.convert('code') },
  { id: 'to-text', name: 'Make it a text cell', menu: 'Edit', group: 4, keys: ['Mod+M M'], needs: 'write', enabled: focused, run: (desk) => desk.convert('markdown') },
  { id: 'clear', name: 'Clear all outputs', menu: 'Edit', group: 5, needs: 'run', run: (desk) => desk.session.clear('all') },
]
