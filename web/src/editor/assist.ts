/** Completion, signatures and hover, asked of whoever knows the code; Tab completes after a word or a dot, and indents elsewhere. */
import { acceptCompletion, autocompletion, closeCompletion, type Completion, CompletionContext, type CompletionResult, completionStatus, startCompletion } from '@codemirror/autocomplete'
import { indentLess, indentMore } from '@codemirror/commands'
import { syntaxTree } from '@codemirror/language'
import { type EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state'
import { closeHoverTooltips, EditorView, hoverTooltip, type KeyBinding, keymap, showTooltip, type Tooltip, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { settings } from '../settings/store'
import { writtenByHand } from './byHand'

export interface Offers {
  readonly from: number
  readonly to: number
  readonly options: readonly Completion[]
}

/** Offsets count UTF-16. Null: nobody knows anything. */
export interface Assistant {
  complete(code: string, cursor: number): Promise<Offers | null>
  /** About what stands at the cursor, one thing under another. */
  describe(code: string, cursor: number): Promise<readonly Node[] | null>
  /** The call that the cursor is in. */
  signature(code: string, cursor: number): Promise<Node | null>
  /** Somebody writes here: heard from the first letter on, also before the rest of this has come. */
  wrote(): void
}

const WORD_LEAST = 2
/** What is written there is no code. */
const TEXTUAL = /String|Comment/

function wanted(context: CompletionContext): boolean {
  if (context.explicit) return true
  if (!settings.getState().editor.completeWhileTyping) return false
  if (context.matchBefore(/\.\w*$/)) return true
  const word = context.matchBefore(/[\p{L}_][\p{L}\p{N}_]*$/u)
  return word !== null && word.to - word.from >= WORD_LEAST && !TEXTUAL.test(syntaxTree(context.state).resolveInner(context.pos, -1).name)
}

function source(assistant: Assistant) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    if (!wanted(context)) return null
    const answer = await assistant.complete(context.state.doc.toString(), context.pos)
    if (!answer || answer.options.length === 0 || context.aborted) return null
    return { ...answer, validFor: /^[\p{L}\p{N}_]*$/u }
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
const shownSignature = StateEffect.define<Tooltip | null>()

const inspection = StateField.define<Tooltip | null>({
  create: () => null,
  update(tooltip, transaction) {
    for (const effect of transaction.effects) if (effect.is(shownInspection)) return effect.value
    return transaction.docChanged || transaction.selection ? null : tooltip
  },
  provide: (field) => showTooltip.from(field),
})

/** It stays while the call is written, and is asked for anew with each step. */
const signature = StateField.define<Tooltip | null>({
  create: () => null,
  update(tooltip, transaction) {
    for (const effect of transaction.effects) if (effect.is(shownSignature)) return effect.value
    return tooltip && { ...tooltip, pos: transaction.changes.mapPos(tooltip.pos) }
  },
  provide: (field) => showTooltip.from(field),
})

function box(nodes: readonly Node[]): { dom: HTMLElement } {
  const dom = document.createElement('div')
  dom.className = 'cm-inspection'
  dom.setAttribute('role', 'tooltip')
  dom.append(...nodes)
  return { dom }
}

/** Show something at a place of the text until somebody writes or goes on. */
export function showAt(view: EditorView, pos: number, nodes: readonly Node[] | null): void {
  view.dispatch({ effects: [closeHoverTooltips, shownInspection.of(nodes && { pos, above: false, create: () => box(nodes) })] })
}

async function inspectAt(view: EditorView, assistant: Assistant): Promise<void> {
  const { state } = view
  const pos = state.selection.main.head
  const nodes = await assistant.describe(state.doc.toString(), pos)
  if (nodes !== null && view.state === state) showAt(view, pos, nodes)
}

async function sign(view: EditorView, assistant: Assistant): Promise<void> {
  const { state } = view
  const pos = state.selection.main.head
  const node = await assistant.signature(state.doc.toString(), pos)
  if (view.state.doc !== state.doc || view.state.selection.main.head !== pos) return
  const shown = view.state.field(signature, false)
  if (node === null && !shown) return
  view.dispatch({ effects: shownSignature.of(node && { pos, above: true, create: () => box([node]) }) })
}

/** Shift+Tab inspects inside a call or after a name; on an indented blank, or with a selection, it takes indent away. */
function inspects(state: EditorState): boolean {
  const { main } = state.selection
  const line = state.doc.lineAt(main.head)
  return main.empty && /\S/.test(line.text.slice(0, main.head - line.from))
}

function opensCall(state: EditorState): boolean {
  const { head } = state.selection.main
  return /[(,]/.test(state.sliceDoc(head - 1, head))
}

/** Offer what would have been offered for what was written in `view` before this part of the page had come. */
export function catchUp(view: EditorView, assistant: Assistant): void {
  if (wanted(new CompletionContext(view.state, view.state.selection.main.head, false))) startCompletion(view)
  if (opensCall(view.state)) void sign(view, assistant)
}

const following = (assistant: Assistant): Extension => {
  const follow = (update: ViewUpdate): void => {
    if (!update.docChanged && !update.selectionSet) return
    // The view may not be changed while it changes.
    if ((writtenByHand(update) && opensCall(update.state)) || update.state.field(signature)) queueMicrotask(() => void sign(update.view, assistant))
  }
  return [ViewPlugin.define(() => ({ update: follow })), EditorView.domEventHandlers({ blur: (_event, view) => void queueMicrotask(() => hideSignature(view)) })]
}

function hideSignature(view: EditorView): boolean {
  if (!view.state.field(signature, false)) return false
  view.dispatch({ effects: shownSignature.of(null) })
  return true
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
    { key: 'Mod-Shift-Space', run: (view) => (void sign(view, assistant), true) },
    { key: 'Escape', run: (view) => dismiss(view) },
  ]
  return [
    unwaited,
    autocompletion({ override: [source(assistant)], activateOnTypingDelay: 150, icons: true }),
    inspection,
    signature,
    following(assistant),
    keymap.of(keys),
    hoverTooltip(async (view, pos) => {
      // After a finger the browser tells of a mouse that never leaves again.
      if (matchMedia('(hover: none)').matches) return null
      const word = view.state.wordAt(pos)
      if (!word) return null
      const nodes = await assistant.describe(view.state.doc.toString(), Math.min(pos, word.to))
      // What was asked for by a key is not covered by what the mouse happens to rest on.
      if (nodes === null || view.state.field(inspection)) return null
      return { pos: word.from, end: word.to, above: true, create: () => box(nodes) }
    }, { hoverTime: 500 }),
  ]
}

/** A list that has not come yet is not waited for any more; Escape goes on to what else it does. */
const unwaited = Prec.highest(
  keymap.of([{ key: 'Escape', run: (view) => (completionStatus(view.state) === 'pending' && closeCompletion(view), false) }]),
)

function dismiss(view: EditorView): boolean {
  if (completionStatus(view.state) !== null) return false
  if (hideSignature(view)) return true
  if (!view.state.field(inspection)) return false
  view.dispatch({ effects: shownInspection.of(null) })
  return true
}
