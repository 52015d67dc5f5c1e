/** The View menu: what of the page is shown. */
import { set, settings } from '../../settings/store'
import { t } from '../../i18n'
import { notifyError, setTheme, type Theme, theme } from '../kit'
import { SIDES } from '../notebook/sides'
import type { Command } from './model'

const PANELS: readonly Command[] = SIDES.map(({ id, name, needs }) => ({
  id, name, menu: 'View', group: 1, ...(needs && { needs }), ...(id === 'snippets' && { also: { menu: 'Help', group: 1, name: 'Search code snippets' } }),
  checked: (desk) => desk.chrome.getState().side === id,
  run: (desk) => desk.toggleSide(id),
}))

const THEMES: readonly Command[] = ([['light', 'Light'], ['dark', 'Dark'], ['system', 'As the system']] as const satisfies readonly (readonly [Theme, string])[]).map(([id, name]) => ({
  id: `theme-${id}`, name, menu: 'View', under: 'Theme', group: 9, checked: () => theme() === id, run: () => setTheme(id),
}))

const goesTo = (by: -1 | 1) => () => void import('../notebook/panes').then(({ focusPane }) => focusPane(by), (error: unknown) => notifyError(t('This could not be loaded'), error))

export const VIEW: readonly Command[] = [
  ...PANELS,
  { id: 'slideshow', name: 'Start slideshow', menu: 'View', group: 5, keys: ['Alt+V'], run: (desk) => desk.chrome.setState({ slides: { from: 'here' } }) },
  { id: 'slideshow-start', name: 'Start slideshow from the beginning', menu: 'View', group: 5, keys: ['Shift+Alt+V'], run: (desk) => desk.chrome.setState({ slides: { from: 'start' } }) },
  { id: 'comments', name: 'Comments', menu: 'View', group: 1, checked: (desk) => desk.chrome.getState().comments, run: (desk) => desk.showComments(!desk.chrome.getState().comments) },
  { id: 'terminal', name: 'Terminal', menu: 'View', group: 1, needs: 'run', checked: (desk) => desk.chrome.getState().terminal, run: (desk) => desk.chrome.setState(({ terminal }) => ({ terminal: !terminal })) },
  { id: 'resources', name: 'Resources', menu: 'View', group: 1, checked: (desk) => desk.chrome.getState().resources, run: (desk) => desk.showResources(!desk.chrome.getState().resources) },
  {
    id: 'numbers', name: 'Line numbers', menu: 'View', group: 2, keys: ['Mod+M L'], checked: () => settings.getState().editor.lineNumbers,
    run: () => set({ editor: { lineNumbers: !settings.getState().editor.lineNumbers } }),
  },
  { id: 'left-panel', name: 'Left panel', menu: 'View', group: 8, keys: ['Mod+\\'], checked: (desk) => desk.chrome.getState().side !== null, run: (desk) => desk.toggleSide(desk.chrome.getState().side ?? undefined) },
  { id: 'next-pane', name: 'Focus next pane', menu: 'View', group: 10, keys: ['F6'], everywhere: true, harmless: true, run: goesTo(1) },
  { id: 'previous-pane', name: 'Focus previous pane', menu: 'View', group: 10, keys: ['Shift+F6'], everywhere: true, harmless: true, run: goesTo(-1) },
  { id: 'header', name: 'Header', menu: 'View', group: 8, checked: (desk) => desk.chrome.getState().header, run: (desk) => desk.chrome.setState(({ header }) => ({ header: !header })) },
  ...THEMES,
]
