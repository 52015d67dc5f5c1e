/** What helps somebody who writes: completion, signatures, closing brackets. It comes with the first focus, or when the page is at rest. */
import { indentLess, indentMore } from '@codemirror/commands'
import { Compartment, type Extension } from '@codemirror/state'
import { EditorView, keymap, ViewPlugin } from '@codemirror/view'
import { settings } from '../settings/store'
import type { Assistant } from './assist'
import { writtenByHand } from './byHand'

type Writing = typeof import('./writing')

const helped = new Compartment()
const alive = new Map<EditorView, Assistant | null>()
/** In which somebody has written while it came. */
const waiting = new Set<EditorView>()
const unassisted = keymap.of([{ key: 'Tab', run: indentMore, shift: indentLess }])
let writing: Writing | undefined
let coming: Promise<void> | undefined

/** Have it come now. Without it there is plain writing; whoever begins to write next tries again. */
export function loadWriting(): Promise<void> {
  return (coming ??= import('./writing').then(
    (module) => {
      writing = module
      renew()
      for (const view of waiting) {
        const assistant = alive.get(view)
        if (assistant && view.hasFocus) module.catchUp(view, assistant)
      }
      waiting.clear()
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
      return {
        update: (update) => {
          if (!writtenByHand(update)) return
          assistant?.wrote()
          if (writing) return
          waiting.add(view)
          void loadWriting()
        },
        destroy: () => {
          alive.delete(view)
          waiting.delete(view)
        },
      }
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
