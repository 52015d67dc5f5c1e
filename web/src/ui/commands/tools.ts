/** The Tools and Help menus. */
import { Search } from 'lucide-react'
import { navigate } from 'wouter/use-browser-location'
import type { Command } from './model'

export const TOOLS: readonly Command[] = [
  {
    id: 'palette', name: 'Command palette', menu: 'Tools', group: 1, keys: ['Mod+Shift+P'], everywhere: true, harmless: true,
    tool: { label: 'Commands', text: 'Commands', icon: Search }, run: (desk) => desk.open('palette'),
  },
  { id: 'settings', name: 'Settings', menu: 'Tools', group: 1, run: () => navigate('/settings', { state: { from: location.pathname } }) },
  { id: 'shortcuts', name: 'Keyboard shortcuts', menu: 'Tools', group: 1, also: { menu: 'Help', group: 1 }, keys: ['Mod+M H'], run: (desk) => desk.open('shortcuts') },
  { id: 'diff', name: 'Compare notebooks', menu: 'Tools', group: 2, run: () => void window.open('/diff', '_blank', 'noopener') },
  { id: 'environment', name: 'Environment', menu: 'Tools', group: 2, run: (desk) => desk.open('environment') },
  { id: 'questions', name: 'Frequently asked questions', menu: 'Help', group: 1, run: (desk) => desk.open('questions') },
  { id: 'release-notes', name: 'Release notes', menu: 'Help', group: 1, run: (desk) => desk.open('release-notes') },
  { id: 'bug', name: 'Report a problem…', menu: 'Help', group: 2, run: (desk) => desk.open('bug') },
  { id: 'about', name: 'About Collegium', menu: 'Help', group: 2, run: (desk) => desk.open('about') },
]
