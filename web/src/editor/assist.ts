/** Completion and inspection, asked of the kernel; Tab completes after a word or a dot, and indents elsewhere. */
import { acceptCompletion, autocompletion, type CompletionContext, type CompletionResult, completionStatus, startCompletion } from '@codemirror/autocomplete'
import { indentLess, indentMore } from '@codemirror/commands'
import { type EditorState, type Extension, StateEffect, StateField } from '@codemirror/state'
import { type EditorView, hoverTooltip, type KeyBinding, keymap, showTooltip, type Tooltip } from '@codemirror/view'

export interface Assistant {
  complete(code: string, cursor: number): Promise<{ readonly matches: readonly string[]; readonly types: readonly string[]; readonly start: number; readonly end: number } | null>
  /** Plain text about what stands at the cursor. */
  inspect(code: string, cursor: number): Promise<string | null>
}

const KINDS: Readonly<Record<string, string>> = { function: 'function', class: 'class', module: 'namespace', instance: 'variable', statement: 'variable', keyword: 'keyword', param: 'property', property: 'property' }

function source(assistant: Assistant) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    if (!context.explicit && !context.matchBefore(/\.\w*$/)) return null
    const answer = await assistant.complete(context.state.doc.toString(), context.pos)
    if (!answer || answer.matches.length === 0 || context.aborted) return null
    const options = answer.matches.map((label, at) => ({ label, type: KINDS[answer.types[at] ?? ''] ?? 'text', boost: -at / answer.matches.length }))
    return { from: answer.start, to: answer.end, options, validFor: /^\w*$/ }
  }
}

/** Whether Tab should complete: something to complete stands right before a lone cursor. */
export function completes(state: EditorState): boolean {
  const { main, ranges } = state.selection
  if (ranges.length > 1 || !main.empty) return false
  const line = state.doc.lineAt(main.head)
  return /[\w.%]$/.test(line.text.slice(0, main.head - line.from))
}

const shownInspection = StateEffect.define<Tooltip | null>()

const inspection = StateField.define<Tooltip | null>({
  create: () => null,
  update(tooltip, transaction) {
    for (const effect of transaction.effects) if (effect.is(shownInspection)) return effect.value
    return transaction.docChanged || transaction.selection ? null : tooltip
  },
  provide: (field) => showTooltip.from(field),
})

function box(text: string): { dom: HTMLElement } {
  const dom = document.createElement('div')
  dom.className = 'cm-inspection'
  dom.setAttribute('role', 'tooltip')
  dom.textContent = text
  return { dom }
}

async function inspectAt(view: EditorView, assistant: Assistant): Promise<void> {
  const { state } = view
  const pos = state.selection.main.head
  const text = await assistant.inspect(state.doc.toString(), pos)
  if (text === null || view.state !== state) return
  view.dispatch({ effects: shownInspection.of({ pos, above: false, create: () => box(text) }) })
}

/** Shift+Tab inspects inside a call or after a name; on an indented blank, or with a selection, it takes indent away. */
function inspects(state: EditorState): boolean {
  const { main } = state.selection
  const line = state.doc.lineAt(main.head)
  return main.empty && /\S/.test(line.text.slice(0, main.head - line.from))
}

export function assistance(assistant: Assistant): Extension {
  const keys: KeyBinding[] = [
    { key: 'Tab', run: (view) => acceptCompletion(view) || (completes(view.state) ? startCompletion(view) : indentMore(view)) },
    {
      key: 'Shift-Tab',
      run: (view) => {
        if (!inspects(view.state)) return indentLess(view)
        void inspectAt(view, assistant)
        return true
      },
    },
    { key: 'Escape', run: (view) => dismiss(view) },
  ]
  return [
    autocompletion({ override: [source(assistant)], activateOnTypingDelay: 150, icons: true }),
    inspection,
    keymap.of(keys),
    hoverTooltip(async (view, pos) => {
      const word = view.state.wordAt(pos)
      if (!word) return null
      const text = await assistant.inspect(view.state.doc.toString(), word.to)
      return text === null ? null : { pos: word.from, end: word.to, above: true, create: () => box(text) }
    }, { hoverTime: 600 }),
  ]
}

function dismiss(view: EditorView): boolean {
  if (completionStatus(view.state) !== null || !view.state.field(inspection)) return false
  view.dispatch({ effects: shownInspection.of(null) })
  return true
}
