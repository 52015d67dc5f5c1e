/** The Tools and Help menus. */
import type { Command } from './model'

export const TOOLS: readonly Command[] = [
  { id: 'palette', name: 'Command palette', menu: 'Tools', group: 1, keys: ['Mod+Shift+P'], run: (desk) => desk.open('palette') },
  { id: 'shortcuts', name: 'Keyboard shortcuts', menu: 'Tools', group: 1, keys: ['Mod+M H'], run: (desk) => desk.open('shortcuts') },
  { id: 'environment', name: 'Environment', menu: 'Tools', group: 2, run: (desk) => desk.open('environment') },
  { id: 'help-shortcuts', name: 'Keyboard shortcuts', menu: 'Help', group: 1, run: (desk) => desk.open('shortcuts') },
  { id: 'about', name: 'About Collegium', menu: 'Help', group: 2, run: (desk) => desk.open('about') },
]
