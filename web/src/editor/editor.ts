/** One CodeMirror on one Y.Text: what is typed goes to everyone, and everyone's cursors show. */
import { closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, indentLess, indentMore } from '@codemirror/commands'
import { python } from '@codemirror/lang-python'
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { crosshairCursor, drawSelection, dropCursor, EditorView, keymap, lineNumbers, placeholder, rectangularSelection, tooltips } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import { type Assistant, assistance } from './assist'
import type { ForeignGrammar } from './grammars'
import { undoOf } from './history'
import { guardSurrogates } from './surrogates'
import { look, tooltipLook } from './theme'

/** `code`: a language whose grammar is not known here. */
export type Grammar = 'python' | 'markdown' | 'plain' | 'code' | ForeignGrammar

export interface EditorOptions {
  readonly parent: HTMLElement
  readonly text: Y.Text
  readonly awareness: Awareness | null
  readonly language: Grammar
  readonly readOnly: boolean
  readonly lineNumbers: boolean
  readonly assistant: Assistant | null
  readonly placeholder?: string
  /** What a screen reader calls it. */
  readonly name?: string
  /** Escape, when the editor itself has no more use for it. */
  readonly leave: () => void
  readonly focused: (focused: boolean) => void
  /** The cursor leaves by an arrow key at the first or last line. */
  readonly beyond: (direction: -1 | 1) => boolean
}

const shared: Extension[] = [
  drawSelection(),
  dropCursor(),
  EditorState.allowMultipleSelections.of(true),
  rectangularSelection(),
  crosshairCursor(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  indentUnit.of('    '),
  EditorState.tabSize.of(4),
  syntaxHighlighting(classHighlighter),
  guardSurrogates,
  look,
  tooltipLook,
]

const wraps = (language: Grammar) => language === 'markdown' || language === 'plain'

/** What is not Python comes when it is first edited: Markdown brings the grammars of HTML, CSS and JavaScript along. */
const grammar = new Compartment()

async function enrich(view: EditorView, language: Grammar): Promise<void> {
  switch (language) {
    case 'python': case 'plain': case 'code':
      return
    case 'markdown': {
      const { markdown, markdownLanguage } = await import('@codemirror/lang-markdown')
      return view.dispatch({ effects: grammar.reconfigure(markdown({ base: markdownLanguage })) })
    }
    default: {
      const { foreign } = await import('./grammars')
      view.dispatch({ effects: grammar.reconfigure(await foreign(language)) })
    }
  }
}

export function mountEditor(options: EditorOptions): EditorView {
  const { text, awareness, assistant } = options
  const atEdge = (view: EditorView, direction: -1 | 1): boolean => {
    const { main } = view.state.selection
    if (!main.empty) return false
    const line = view.state.doc.lineAt(main.head)
    const edge = direction < 0 ? line.number === 1 : line.number === view.state.doc.lines
    return edge && options.beyond(direction)
  }
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        assistant ? assistance(assistant) : keymap.of([{ key: 'Tab', run: indentMore, shift: indentLess }]),
        keymap.of([
          ...completionKeymap,
          ...closeBracketsKeymap,
          ...yUndoManagerKeymap,
          { key: 'ArrowUp', run: (view) => atEdge(view, -1) },
          { key: 'ArrowDown', run: (view) => atEdge(view, 1) },
          ...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter' && binding.key !== 'Ctrl-m'),
          { key: 'Escape', run: () => (options.leave(), true) },
        ]),
        shared,
        wraps(options.language) ? EditorView.lineWrapping : [],
        grammar.of(options.language === 'python' ? python() : []),
        options.lineNumbers ? lineNumbers() : [],
        options.placeholder ? placeholder(options.placeholder) : [],
        tooltips({ position: 'fixed', parent: document.body }),
        EditorState.readOnly.of(options.readOnly),
        EditorView.contentAttributes.of({ 'aria-label': options.name ?? 'Source', tabindex: '0', spellcheck: options.language === 'markdown' ? 'true' : 'false', ...(options.readOnly && { 'aria-readonly': 'true' }) }),
        EditorView.focusChangeEffect.of((_state, focused) => (options.focused(focused), null)),
        yCollab(text, awareness, { undoManager: options.readOnly ? false : undoOf(text) }),
      ],
    }),
  })
  // Without its grammar it is plain text, which can be written as well.
  enrich(view, options.language).catch(() => undefined)
  return view
}
