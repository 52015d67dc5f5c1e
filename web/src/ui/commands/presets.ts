/** The keys of other programs, where they differ from Colab's: by a command's id. What is not named keeps Colab's keys. */
import type { Settings } from '../../settings/model'

type Keys = Readonly<Record<string, readonly string[]>>

const JUPYTERLAB: Keys = {
  above: ['A'],
  below: ['B'],
  cut: ['X'],
  copy: ['C'],
  paste: ['V'],
  delete: ['D D'],
  undo: ['Z'],
  redo: ['Shift+Z'],
  'select-all': ['Mod+A'],
  up: ['Mod+Shift+ArrowUp'],
  down: ['Mod+Shift+ArrowDown'],
  split: ['Mod+Shift+-', 'Mod+_'],
  merge: ['Shift+M'],
  'merge-above': ['Mod+Backspace'],
  'to-code': ['Y'],
  'to-text': ['M'],
  'to-raw': ['R'],
  previous: ['ArrowUp', 'K'],
  next: ['ArrowDown', 'J'],
  'extend-up': ['Shift+ArrowUp', 'Shift+K'],
  'extend-down': ['Shift+ArrowDown', 'Shift+J'],
  interrupt: ['I I'],
  restart: ['0 0'],
  'run-selection': [],
  numbers: ['Shift+L'],
  'toggle-output': ['O'],
  palette: ['Mod+Shift+C', 'Mod+Shift+P'],
  shortcuts: ['Mod+Shift+H'],
  settings: ['Mod+,'],
  find: ['Mod+F'],
  'delete-line': ['Mod+Shift+D'],
  save: ['Mod+S'],
}

/** Cells as vim's lines; in the text, its own mode. */
const VIM: Keys = {
  edit: ['Enter', 'I'],
  'next-occurrence': ['Mod+Alt+D'],
  previous: ['ArrowUp', 'K'],
  next: ['ArrowDown', 'J'],
  'extend-up': ['Shift+ArrowUp', 'Shift+K'],
  'extend-down': ['Shift+ArrowDown', 'Shift+J'],
  above: ['Shift+O'],
  below: ['O'],
  cut: ['X'],
  copy: ['Y Y'],
  paste: ['P'],
  delete: ['D D'],
  undo: ['U'],
  redo: ['Mod+R'],
  merge: ['Shift+M'],
  first: ['G G'],
  last: ['Shift+G'],
  palette: ['Mod+Shift+P', ':'],
  find: ['/'],
}

export const PRESETS: Readonly<Record<Settings['keys']['preset'], Keys>> = { default: {}, jupyterlab: JUPYTERLAB, vim: VIM }
