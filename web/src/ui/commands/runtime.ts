/** The Runtime menu: what runs, and on what. */
import { Play } from 'lucide-react'
import { goToRun, runSelected } from '../notebook/running'
import { heading, whole } from '../notebook/folding'
import { type Command, connected, focused, order, place } from './model'

export const RUNTIME: readonly Command[] = [
  { id: 'run-all', name: 'Run all', menu: 'Runtime', group: 1, keys: ['Mod+F9'], needs: 'run', tool: { label: 'Run all', text: 'Run all', icon: Play }, run: (desk) => desk.run(order(desk)) },
  { id: 'run-before', name: 'Run before', menu: 'Runtime', group: 1, cell: { group: 0, types: ['code'] }, keys: ['Mod+F8'], needs: 'run', enabled: focused, run: (desk) => desk.run(order(desk).slice(0, place(desk))) },
  { id: 'run', name: 'Run the focused cell', menu: 'Runtime', group: 1, keys: ['Mod+Enter'], enabled: focused, run: (desk) => runSelected(desk, 'stay') },
  { id: 'run-next', name: 'Run and go to the next cell', keys: ['Shift+Enter'], enabled: focused, run: (desk) => runSelected(desk, 'next') },
  { id: 'run-insert', name: 'Run and insert a cell', keys: ['Alt+Enter'], enabled: focused, run: (desk) => runSelected(desk, 'insert') },
  { id: 'run-selection', name: 'Run the selected cells', menu: 'Runtime', group: 1, keys: ['Mod+Shift+Enter'], needs: 'run', enabled: focused, run: (desk) => desk.run(desk.chosen) },
  { id: 'run-after', name: 'Run cell and below', menu: 'Runtime', group: 1, cell: { group: 0, types: ['code'] }, keys: ['Mod+F10'], needs: 'run', enabled: focused, run: (desk) => desk.run(order(desk).slice(place(desk))) },
  { id: 'run-section', name: 'Run the section', menu: 'Runtime', group: 1, cell: { group: 0, types: ['markdown'] }, needs: 'run', enabled: (desk) => heading(desk) !== null, run: (desk) => desk.run(whole(desk, heading(desk)!)) },
  { id: 'interrupt', name: 'Interrupt execution', menu: 'Runtime', group: 2, keys: ['Mod+M I'], needs: 'run', enabled: connected, run: (desk) => desk.session.command('interrupt') },
  { id: 'restart', name: 'Restart session', menu: 'Runtime', group: 2, keys: ['Mod+M .'], needs: 'run', enabled: connected, run: (desk) => desk.session.command('restart') },
  {
    id: 'restart-all', name: 'Restart and run all', menu: 'Runtime', group: 2, needs: 'run', enabled: connected,
    run: (desk) => {
      desk.session.command('restart')
      desk.run(order(desk))
    },
  },
  { id: 'go-running', name: 'Go to the running cell', menu: 'Runtime', group: 2, run: (desk) => goToRun(desk, 'running') },
  { id: 'go-last-run', name: 'Go to the cell that ran last', menu: 'Runtime', group: 2, run: (desk) => goToRun(desk, 'last') },
  { id: 'go-failed', name: 'Go to the cell that failed last', menu: 'Runtime', group: 2, run: (desk) => goToRun(desk, 'failed') },
  { id: 'connect', name: 'Connect', menu: 'Runtime', group: 3, needs: 'run', enabled: (desk) => !connected(desk), run: (desk) => desk.session.connect() },
  { id: 'disconnect', name: 'Disconnect and delete runtime', menu: 'Runtime', group: 3, needs: 'run', enabled: connected, run: (desk) => desk.open('disconnect') },
  { id: 'runtime-type', name: 'Change runtime type', menu: 'Runtime', group: 4, needs: 'run', run: (desk) => desk.open('runtime-type') },
  { id: 'sessions', name: 'Manage sessions', menu: 'Runtime', group: 4, run: (desk) => desk.open('sessions') },
  { id: 'view-resources', name: 'View resources', menu: 'Runtime', group: 4, run: (desk) => desk.showResources(true) },
  { id: 'runtime-log', name: 'View runtime log', menu: 'Runtime', group: 4, needs: 'run', run: (desk) => desk.open('runtime-log') },
]
