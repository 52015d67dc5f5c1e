/** Every command once: its name, its menu, its keys, when it may be used. Menus, palette and keyboard are made of it. */
import { downloadAddress } from '../../api/client'
import { isHere } from '../../session/session'
import { notifyError } from '../kit'
import type { Desk } from './desk'

export type MenuName = 'File' | 'Edit' | 'View' | 'Insert' | 'Runtime' | 'Tools' | 'Help'
export const MENUS: readonly MenuName[] = ['File', 'Edit', 'View', 'Insert', 'Runtime', 'Tools', 'Help']

export interface Command {
  readonly id: string
  readonly name: string
  readonly menu?: MenuName
  /** Entries of one group stand together, between lines. */
  readonly group?: number
  readonly keys?: readonly string[]
  readonly needs?: 'write' | 'run' | 'comment'
  /** Keys work only outside of text: in a cell's text they mean something else. */
  readonly outside?: boolean
  readonly enabled?: (desk: Desk) => boolean
  readonly checked?: (desk: Desk) => boolean
  readonly run: (desk: Desk) => void
}

const focused = (desk: Desk) => desk.view.getState().focused !== null
const connected = (desk: Desk) => isHere(desk.session.state.getState().runtime)
const order = (desk: Desk) => desk.outline.current()
const place = (desk: Desk) => order(desk).indexOf(desk.view.getState().focused ?? '')

function download(desk: Desk, format: 'ipynb' | 'py'): void {
  const base = downloadAddress({ id: desk.id, kind: 'notebook' })!
  const link = document.createElement('a')
  link.href = base.replace('format=ipynb', `format=${format}`)
  link.download = ''
  link.click()
}

export const COMMANDS: readonly Command[] = [
  { id: 'rename', name: 'Rename', menu: 'File', group: 2, keys: ['F2'], needs: 'write', run: (desk) => desk.chrome.setState({ renaming: true }) },
  { id: 'save-revision', name: 'Save and pin revision', menu: 'File', group: 2, keys: ['Mod+Alt+S'], needs: 'write', run: (desk) => desk.open('revision') },
  { id: 'history', name: 'Revision history', menu: 'File', group: 2, needs: 'write', checked: (desk) => desk.chrome.getState().history, run: (desk) => desk.showHistory(!desk.chrome.getState().history) },
  { id: 'playground', name: 'Open in playground', menu: 'File', group: 2, enabled: (desk) => desk.me.id !== 'guest' && desk.room.state.getState().playgroundOf === null, run: (desk) => desk.playground(null) },
  { id: 'info', name: 'Notebook info', menu: 'File', group: 2, enabled: (desk) => desk.me.id !== 'guest', run: (desk) => desk.open('info') },
  { id: 'merge-file', name: 'Upload and merge a version…', menu: 'File', group: 3, needs: 'write', run: (desk) => void import('../overlaps/upload').then(({ mergeVersion }) => mergeVersion(desk), (error: unknown) => notifyError('This could not be loaded', error)) },
  { id: 'download', name: 'Download .ipynb', menu: 'File', group: 3, run: (desk) => download(desk, 'ipynb') },
  { id: 'download-py', name: 'Download .py', menu: 'File', group: 3, run: (desk) => download(desk, 'py') },
  { id: 'trash', name: 'Move to trash', menu: 'File', group: 4, enabled: (desk) => desk.room.state.getState().role === 'owner' && desk.room.state.getState().playgroundOf === null, run: (desk) => desk.open('trash') },

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

  { id: 'comment', name: 'Comment', menu: 'Insert', group: 3, keys: ['Mod+Alt+M'], needs: 'comment', enabled: focused, run: (desk) => desk.comment(desk.view.getState().focused!) },

  { id: 'contents', name: 'Table of contents', menu: 'View', group: 1, checked: (desk) => desk.chrome.getState().side === 'contents', run: (desk) => desk.chrome.setState(({ side }) => ({ side: side === 'contents' ? null : 'contents' })) },
  { id: 'comments', name: 'Comments', menu: 'View', group: 1, checked: (desk) => desk.chrome.getState().comments, run: (desk) => desk.showComments(!desk.chrome.getState().comments) },
  { id: 'files', name: 'Files', menu: 'View', group: 1, needs: 'run', checked: (desk) => desk.chrome.getState().side === 'files', run: (desk) => desk.chrome.setState(({ side }) => ({ side: side === 'files' ? null : 'files' })) },
  { id: 'terminal', name: 'Terminal', menu: 'View', group: 1, needs: 'run', checked: (desk) => desk.chrome.getState().terminal, run: (desk) => desk.chrome.setState(({ terminal }) => ({ terminal: !terminal })) },
  { id: 'resources', name: 'Resources', menu: 'View', group: 1, checked: (desk) => desk.chrome.getState().resources, run: (desk) => desk.showResources(!desk.chrome.getState().resources) },
  {
    id: 'numbers', name: 'Line numbers', menu: 'View', group: 2, keys: ['Mod+M L'], checked: (desk) => desk.view.getState().lineNumbers,
    run: (desk) => desk.act({ do: 'numbers', shown: !desk.view.getState().lineNumbers }),
  },

  { id: 'code', name: 'Code cell', menu: 'Insert', group: 1, needs: 'write', run: (desk) => desk.append('code') },
  { id: 'text', name: 'Text cell', menu: 'Insert', group: 1, needs: 'write', run: (desk) => desk.append('markdown') },
  { id: 'above', name: 'Code cell above', menu: 'Insert', group: 2, keys: ['Mod+M A'], needs: 'write', run: (desk) => desk.insertAbove('code') },
  { id: 'below', name: 'Code cell below', menu: 'Insert', group: 2, keys: ['Mod+M B'], needs: 'write', run: (desk) => desk.append('code') },

  { id: 'run-all', name: 'Run all', menu: 'Runtime', group: 1, keys: ['Mod+F9'], needs: 'run', run: (desk) => desk.run(order(desk)) },
  { id: 'run-before', name: 'Run before', menu: 'Runtime', group: 1, keys: ['Mod+F8'], needs: 'run', enabled: focused, run: (desk) => desk.run(order(desk).slice(0, place(desk))) },
  { id: 'run', name: 'Run the focused cell', menu: 'Runtime', group: 1, keys: ['Mod+Enter'], enabled: focused, run: (desk) => desk.runChosen('stay') },
  { id: 'run-next', name: 'Run and go to the next cell', keys: ['Shift+Enter'], enabled: focused, run: (desk) => desk.runChosen('next') },
  { id: 'run-insert', name: 'Run and insert a cell', keys: ['Alt+Enter'], enabled: focused, run: (desk) => desk.runChosen('insert') },
  { id: 'run-selection', name: 'Run the selected cells', menu: 'Runtime', group: 1, keys: ['Mod+Shift+Enter'], needs: 'run', enabled: focused, run: (desk) => desk.run(desk.chosen) },
  { id: 'run-after', name: 'Run cell and below', menu: 'Runtime', group: 1, keys: ['Mod+F10'], needs: 'run', enabled: focused, run: (desk) => desk.run(order(desk).slice(place(desk))) },
  { id: 'interrupt', name: 'Interrupt execution', menu: 'Runtime', group: 2, keys: ['Mod+M I'], needs: 'run', enabled: connected, run: (desk) => desk.session.command('interrupt') },
  { id: 'restart', name: 'Restart session', menu: 'Runtime', group: 2, keys: ['Mod+M .'], needs: 'run', enabled: connected, run: (desk) => desk.session.command('restart') },
  {
    id: 'restart-all', name: 'Restart and run all', menu: 'Runtime', group: 2, needs: 'run', enabled: connected,
    run: (desk) => {
      desk.session.command('restart')
      desk.run(order(desk))
    },
  },
  { id: 'connect', name: 'Connect', menu: 'Runtime', group: 3, needs: 'run', enabled: (desk) => !connected(desk), run: (desk) => desk.session.connect() },
  { id: 'disconnect', name: 'Disconnect and delete runtime', menu: 'Runtime', group: 3, needs: 'run', enabled: connected, run: (desk) => desk.open('disconnect') },
  { id: 'runtime-type', name: 'Change runtime type', menu: 'Runtime', group: 4, needs: 'run', run: (desk) => desk.open('runtime-type') },
  { id: 'sessions', name: 'Manage sessions', menu: 'Runtime', group: 4, run: (desk) => desk.open('sessions') },
  { id: 'view-resources', name: 'View resources', menu: 'Runtime', group: 4, run: (desk) => desk.showResources(true) },

  { id: 'palette', name: 'Command palette', menu: 'Tools', group: 1, keys: ['Mod+Shift+P'], run: (desk) => desk.open('palette') },
  { id: 'shortcuts', name: 'Keyboard shortcuts', menu: 'Tools', group: 1, keys: ['Mod+M H'], run: (desk) => desk.open('shortcuts') },

  { id: 'environment', name: 'Environment', menu: 'Tools', group: 2, run: (desk) => desk.open('environment') },

  { id: 'help-shortcuts', name: 'Keyboard shortcuts', menu: 'Help', group: 1, run: (desk) => desk.open('shortcuts') },
  { id: 'about', name: 'About Collegium', menu: 'Help', group: 2, run: (desk) => desk.open('about') },

  { id: 'edit', name: 'Edit the cell', keys: ['Enter'], outside: true, enabled: focused, run: (desk) => desk.goTo(desk.view.getState().focused!, true) },
  { id: 'previous', name: 'Previous cell', keys: ['ArrowUp', 'K', 'Mod+M P'], outside: true, run: (desk) => desk.step(-1, false) },
  { id: 'next', name: 'Next cell', keys: ['ArrowDown', 'J', 'Mod+M N'], outside: true, run: (desk) => desk.step(1, false) },
  { id: 'extend-up', name: 'Select the cell above too', keys: ['Shift+ArrowUp'], outside: true, run: (desk) => desk.step(-1, true) },
  { id: 'extend-down', name: 'Select the cell below too', keys: ['Shift+ArrowDown'], outside: true, run: (desk) => desk.step(1, true) },
]

export function usable(command: Command, desk: Desk): boolean {
  return (command.needs === undefined || desk.may(command.needs)) && (command.enabled?.(desk) ?? true)
}
