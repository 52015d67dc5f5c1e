/** What writes Markdown in a text cell: the toolbar over it, the Edit menu and the keys are made of this. */
import type { EditorView } from '@codemirror/view'
import * as format from '../../editor/formatting'
import type { CellId } from '../../model/wire'
import { attach, choosePicture } from '../notebook/attaching'
import type { Desk } from '../notebook/desk'
import { type Command } from './model'

const open = (desk: Desk): { readonly cell: CellId; readonly view: EditorView } | null => {
  const { focused } = desk.view.getState()
  const view = focused === null ? undefined : desk.editors.getState().get(focused)
  return focused !== null && view && !view.state.readOnly && desk.type(focused) === 'markdown' ? { cell: focused, view } : null
}

function formatting(id: string, name: string, keys: readonly string[], change: format.Format): Command {
  return {
    id: `format-${id}`, name, keys, menu: 'Edit', under: 'Formatting', inside: true, group: 5, needs: 'write', enabled: (desk) => open(desk) !== null,
    run: (desk) => {
      const { view } = open(desk)!
      view.dispatch(change(view.state), { scrollIntoView: true })
      view.focus()
    },
  }
}

export const FORMATTING: readonly Command[] = [
  formatting('heading', 'Heading', [], format.heading),
  formatting('bold', 'Bold', ['Mod+B'], format.bold),
  formatting('italic', 'Italic', ['Mod+I'], format.italic),
  formatting('strike', 'Strikethrough', [], format.strike),
  formatting('code', 'Code', ['Mod+E'], format.code),
  formatting('link', 'Link', ['Mod+K'], format.link),
  {
    id: 'format-image', name: 'Picture…', menu: 'Edit', under: 'Formatting', group: 5, needs: 'write', enabled: (desk) => open(desk) !== null,
    run: (desk) => {
      const { cell, view } = open(desk)!
      choosePicture((files) => void attach(desk, cell, files, view, view.state.selection.main.from))
    },
  },
  formatting('quote', 'Quote', [], format.quote),
  formatting('numbered', 'Numbered list', [], format.numbered),
  formatting('list', 'List', [], format.list),
  formatting('todo', 'Task list', [], format.todo),
  formatting('table', 'Table', [], format.table),
  formatting('rule', 'Line', [], format.rule),
  formatting('formula', 'Formula', [], format.formula),
  formatting('diagram', 'Diagram', [], format.diagram),
]
