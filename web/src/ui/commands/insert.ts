/** The Insert menu: what can be added. */
import { Plus } from 'lucide-react'
import { type Command, focused, order } from './model'

export const INSERT: readonly Command[] = [
  { id: 'comment', name: 'Comment', menu: 'Insert', group: 3, keys: ['Mod+Alt+M'], needs: 'comment', enabled: focused, run: (desk) => desk.comment(desk.view.getState().focused!) },
  { id: 'code', name: 'Code cell', menu: 'Insert', group: 1, needs: 'write', tool: { label: 'Add code cell', text: 'Code', icon: Plus }, run: (desk) => desk.append('code') },
  { id: 'text', name: 'Text cell', menu: 'Insert', group: 1, needs: 'write', tool: { label: 'Add text cell', text: 'Text', icon: Plus }, run: (desk) => desk.append('markdown') },
  { id: 'section', name: 'Section header cell', menu: 'Insert', group: 1, needs: 'write', run: (desk) => desk.insert('markdown', desk.chosen.at(-1) ?? order(desk).at(-1) ?? null, '# ') },
  { id: 'insert-snippet', name: 'Code snippet…', menu: 'Insert', group: 1, keys: ['Mod+Alt+P'], needs: 'write', run: (desk) => desk.chrome.setState({ side: 'snippets' }) },
  { id: 'save-snippet', name: 'Save as a snippet…', menu: 'Insert', group: 1, cell: { group: 3, types: ['code'] }, enabled: (desk) => desk.type(desk.view.getState().focused ?? '') === 'code', run: (desk) => desk.open('snippet') },
  { id: 'above', name: 'Code cell above', menu: 'Insert', group: 2, keys: ['Mod+M A'], needs: 'write', run: (desk) => desk.insertAbove('code') },
  { id: 'below', name: 'Code cell below', menu: 'Insert', group: 2, keys: ['Mod+M B'], needs: 'write', run: (desk) => desk.append('code') },
]
