/** One CodeMirror on one file: a text of this page alone until it is saved. */
import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, indentLess, indentMore } from '@codemirror/commands'
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState, type Text } from '@codemirror/state'
import { crosshairCursor, drawSelection, dropCursor, EditorView, keymap, lineNumbers, rectangularSelection } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import { byEnding } from './grammars'
import { guardSurrogates } from './surrogates'
import { look, tooltipLook } from './theme'
import { unseenMarked } from './unseen'

export type LineEnds = '\n' | '\r\n'

export interface FileEditorOptions {
  readonly parent: HTMLElement
  readonly text: string
  readonly lineEnds: LineEnds
  /** What follows the last dot of the file's name. */
  readonly ending: string
  readonly label: string
  readonly readOnly: boolean
  readonly changed: (text: Text) => void
}

export interface FileEditor {
  readonly view: EditorView
  /** As it is written to the file. */
  text(): string
  /** Another text, that undo leads back from. */
  replace(text: string, lineEnds: LineEnds): void
  readOnly(readOnly: boolean): void
  destroy(): void
}

/** Past this a line is not wrapped, which would take seconds. */
const WRAPPED_LINE_MAX = 20_000

const fileLook = EditorView.theme({
  '&': { height: '100%', fontSize: '13px' },
  '.cm-scroller': { overflow: 'auto', lineHeight: '20px' },
  '.cm-content': { padding: '8px 0 40px' },
  '.cm-line': { padding: '0 12px 0 6px' },
  '.cm-panels': { backgroundColor: 'var(--surface-dim)', color: 'var(--ink)' },
  '.cm-panels.cm-panels-top': { borderBottom: '1px solid var(--line)' },
  '.cm-search': { padding: '6px 10px', fontSize: '13px' },
  '.cm-textfield': { border: '1px solid color-mix(in srgb, var(--ink) 26%, transparent)', borderRadius: '6px', backgroundColor: 'var(--surface)', padding: '3px 8px', fontSize: '13px' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--surface)', border: '1px solid color-mix(in srgb, var(--ink) 22%, transparent)', borderRadius: '6px', padding: '3px 8px', fontSize: '13px' },
  '.cm-searchMatch': { backgroundColor: 'color-mix(in srgb, var(--run) 30%, transparent)' },
  '.cm-searchMatch-selected': { backgroundColor: 'color-mix(in srgb, var(--run) 60%, transparent)' },
  '.cm-selectionMatch': { backgroundColor: 'color-mix(in srgb, var(--ok) 20%, transparent)' },
})

const plain = (text: string, ends: LineEnds) => (ends === '\n' ? text : text.replaceAll(ends, '\n'))

export function mountFileEditor({ parent, text, lineEnds, ending, label, readOnly, changed }: FileEditorOptions): FileEditor {
  let ends = lineEnds
  const grammar = new Compartment()
  const editable = new Compartment()
  const closed = (only: boolean) => [EditorState.readOnly.of(only), EditorView.contentAttributes.of(only ? { 'aria-readonly': 'true' } : {})]
  // What undoes edits of cells is loaded already; a history of CodeMirror's own would be one more thing to fetch.
  const shared = new Y.Doc().getText()
  shared.insert(0, plain(text, ends))
  const undo = new Y.UndoManager(shared, { trackedOrigins: new Set(), captureTimeout: 500 })
  const long = text.split('\n').some((line) => line.length > WRAPPED_LINE_MAX)
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: shared.toString(),
      extensions: [
        // Nothing but what is edited may change, so a stray carriage return is a character like any other.
        EditorState.lineSeparator.of('\n'),
        EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
        lineNumbers(), unseenMarked, drawSelection(), dropCursor(),
        EditorState.allowMultipleSelections.of(true), rectangularSelection(), crosshairCursor(), indentOnInput(), bracketMatching(), closeBrackets(),
        indentUnit.of('    '), EditorState.tabSize.of(4), syntaxHighlighting(classHighlighter), search({ top: true }), highlightSelectionMatches(),
        keymap.of([{ key: 'Tab', run: indentMore, shift: indentLess }, ...closeBracketsKeymap, ...searchKeymap, ...yUndoManagerKeymap, ...defaultKeymap]),
        guardSurrogates, look, tooltipLook, fileLook,
        long ? [] : EditorView.lineWrapping,
        grammar.of([]),
        editable.of(closed(readOnly)),
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', spellcheck: 'false' }),
        yCollab(shared, null, { undoManager: undo }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc)),
      ],
    }),
  })
  let over = false
  if (!long) byEnding(ending).then((extension) => over || view.dispatch({ effects: grammar.reconfigure(extension) }), () => undefined)
  return {
    view,
    text: () => (ends === '\n' ? view.state.doc.toString() : view.state.doc.toString().replaceAll('\n', ends)),
    replace: (next, nextEnds) => {
      ends = nextEnds
      const insert = plain(next, ends)
      const { head } = view.state.selection.main
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert }, selection: { anchor: Math.min(head, insert.length) } })
    },
    readOnly: (only) => view.dispatch({ effects: editable.reconfigure(closed(only)) }),
    destroy: () => {
      over = true
      view.destroy()
      undo.destroy()
    },
  }
}
