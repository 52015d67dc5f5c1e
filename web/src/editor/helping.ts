/** What helps somebody who writes: completion, signatures, closing brackets. It comes with the first focus, or when the page is at rest. */
import { indentLess, indentMore } from '@codemirror/commands'
import { Compartment, type Extension } from '@codemirror/state'
import { EditorView, keymap, ViewPlugin } from '@codemirror/view'
import { settings } from '../settings/store'
import type { Assistant } from './assist'

type Writing = typeof import('./writing')

const helped = new Compartment()
const alive = new Map<EditorView, Assistant | null>()
const unassisted = keymap.of([{ key: 'Tab', run: indentMore, shift: indentLess }])
let writing: Writing | undefined
let coming: Promise<void> | undefined

/** Have it come now. Without it there is plain writing; whoever begins to write next tries again. */
export function loadWriting(): Promise<void> {
  return (coming ??= import('./writing').then(
    (module) => {
      writing = module
      renew()
    },
    () => {
      coming = undefined
    },
  ))
}

/** What an editor begins with; from then on it follows what is set. */
export function helping(assistant: Assistant | null): Extension {
  return [
    helped.of(help(assistant)),
    ViewPlugin.define((view) => {
      alive.set(view, assistant)
      return { destroy: () => alive.delete(view) }
    }),
    EditorView.domEventHandlers({ focus: () => void loadWriting() }),
  ]
}

function help(assistant: Assistant | null): Extension {
  return [writing?.chosenHelp(settings.getState()) ?? [], writing && assistant ? writing.assistance(assistant) : unassisted]
}

function renew(): void {
  for (const [view, assistant] of alive) view.dispatch({ effects: helped.reconfigure(help(assistant)) })
}

settings.subscribe((now, before) => {
  if (now.editor !== before.editor && writing) renew()
})
