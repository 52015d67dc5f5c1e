/** What of the cells is shown: sections, code and outputs, all of them or one; and the ways to a cell. */
import { toggleHidden } from '../notebook/arranging'
import type { Desk } from '../notebook/desk'
import { fold, foldAll, heading, saveLayout } from '../notebook/folding'
import { type Command, focused, order } from './model'

const folds = (folded: boolean) => (desk: Desk) => {
  const cell = heading(desk)
  if (cell !== null) fold(desk, cell, folded)
}
const inSection = (desk: Desk) => heading(desk) !== null

export const SECTIONS: readonly Command[] = [
  { id: 'collapse-sections', name: 'Collapse sections', menu: 'View', group: 4, keys: ['Mod+]'], outside: true, run: (desk) => foldAll(desk, true) },
  { id: 'expand-sections', name: 'Expand sections', menu: 'View', group: 4, keys: ['Mod+['], outside: true, run: (desk) => foldAll(desk, false) },
  { id: 'collapse-section', name: 'Collapse this section', menu: 'View', group: 4, keys: ['ArrowLeft'], outside: true, enabled: inSection, run: folds(true) },
  { id: 'expand-section', name: 'Expand this section', menu: 'View', group: 4, keys: ['ArrowRight'], outside: true, enabled: inSection, run: folds(false) },
  { id: 'save-sections', name: 'Save collapsed section layout', menu: 'View', group: 4, needs: 'write', run: saveLayout },
  { id: 'toggle-code', name: 'Show or hide code', menu: 'View', group: 5, cell: { group: 3, types: ['code'] }, enabled: focused, run: (desk) => toggleHidden(desk, 'source', desk.chosen) },
  { id: 'toggle-output', name: 'Show or hide output', menu: 'View', group: 5, cell: { group: 3, types: ['code'] }, keys: ['Mod+M O'], enabled: focused, run: (desk) => toggleHidden(desk, 'outputs', desk.chosen) },
  { id: 'toggle-all-code', name: 'Show or hide all code', menu: 'View', group: 5, run: (desk) => toggleHidden(desk, 'source', order(desk)) },
  { id: 'toggle-all-outputs', name: 'Show or hide all outputs', menu: 'View', group: 5, run: (desk) => toggleHidden(desk, 'outputs', order(desk)) },
  { id: 'go-to-cell', name: 'Go to cell…', menu: 'View', group: 6, keys: ['Mod+M G'], run: (desk) => desk.open('cell') },
  {
    id: 'cell-history', name: 'History of this cell', menu: 'View', group: 6, cell: { group: 5 }, needs: 'write', enabled: focused,
    run: (desk) => desk.look({ see: 'cell', cell: desk.view.getState().focused! }),
  },
]
