/** What is done with names and shapes in the code, by who knows it. They stand in the Tools and Edit menus. */
import { isPython, knowing } from '../notebook/assistant'
import { type Command, connected, focused, order } from './model'
import type { Desk } from '../notebook/desk'

const known = (desk: Desk): boolean => connected(desk) && isPython(desk)
const inText = (desk: Desk): boolean => known(desk) && focused(desk)

export const CODE: readonly Command[] = [
  { id: 'definition', name: 'Go to definition', menu: 'Tools', group: 3, keys: ['F12'], needs: 'run', enabled: inText, run: (desk) => void knowing(desk, (doing, language) => doing.goToDefinition(desk, language)) },
  { id: 'references', name: 'Find references', menu: 'Tools', group: 3, keys: ['Shift+F12'], needs: 'run', enabled: inText, run: (desk) => void knowing(desk, (doing, language) => doing.findReferences(desk, language)) },
  { id: 'rename-symbol', name: 'Rename symbol…', menu: 'Edit', group: 7, keys: ['F2'], inside: true, needs: 'write', enabled: inText, run: (desk) => void knowing(desk, (doing, language) => doing.rename(desk, language)) },
  { id: 'quick-fix', name: 'Quick fix…', menu: 'Edit', group: 7, keys: ['Alt+.'], needs: 'write', enabled: inText, run: (desk) => void knowing(desk, (doing, language) => doing.quickFix(desk, language)) },
  { id: 'format-cells', name: 'Format cell', menu: 'Edit', group: 7, cell: { group: 3, types: ['code'] }, keys: ['Alt+Shift+F'], needs: 'write', enabled: inText, run: (desk) => void knowing(desk, (doing, language) => doing.format(desk, language, desk.chosen)) },
  { id: 'format-notebook', name: 'Format notebook', menu: 'Edit', group: 7, needs: 'write', enabled: known, run: (desk) => void knowing(desk, (doing, language) => doing.format(desk, language, order(desk))) },
  { id: 'next-problem', name: 'Next problem', menu: 'Tools', group: 3, keys: ['F8'], needs: 'run', enabled: known, run: (desk) => void knowing(desk, (doing, language) => doing.nextProblem(desk, language, 1)) },
  { id: 'previous-problem', name: 'Previous problem', menu: 'Tools', group: 3, keys: ['Shift+F8'], needs: 'run', enabled: known, run: (desk) => void knowing(desk, (doing, language) => doing.nextProblem(desk, language, -1)) },
]
