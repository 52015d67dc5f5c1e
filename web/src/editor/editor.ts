/** One CodeMirror on one Y.Text: what is typed goes to everyone, and everyone's cursors show. */
import { defaultKeymap } from '@codemirror/commands'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState, type Extension } from '@codemirror/state'
import { drawSelection, dropCursor, EditorView, keymap, lineNumbers, placeholder, rectangularSelection, tooltips } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import { t } from '../i18n'
import { settings } from '../settings/store'
import type { Assistant } from './assist'
import { grammarOf } from './grammar'
import type { Grammar } from './grammars'
import { helping } from './helping'
import { undoOf } from './history'
import { outside } from './outside'
import { pictures, type TakePictures } from './pictures'
import { type Kind, preferred } from './preferences'
import { guardSurrogates } from './surrogates'
import { look, tooltipLook } from './theme'
import { unseenMarked } from './unseen'

export type { Grammar } from './grammars'

export interface EditorOptions {
  readonly parent: HTMLElement
  readonly text: Y.Text
  readonly awareness: Awareness | null
  readonly language: Grammar
  readonly readOnly: boolean
  /** Tab comes into it, as it does unless that is false; or if Tab leads out of it again, as may be set. */
  readonly stop?: boolean
  /** Numbered whatever is set. */
  readonly lineNumbers?: boolean
  readonly assistant: Assistant | null
  /** What becomes of pictures that are pasted or dropped into it. */
  readonly pictures?: TakePictures
  readonly placeholder?: string
  /** What a screen reader calls it. */
  readonly name?: string
  /** Escape, when the editor itself has no more use for it. */
  readonly leave: () => void
  /** Vim's `:w`. */
  readonly save?: () => void
  readonly focused: (focused: boolean) => void
  /** The cursor leaves by an arrow key at the first or last line. */
  readonly beyond: (direction: -1 | 1) => boolean
}

/** Back in the text, one is where one was: a browser that is told to focus it puts the cursor at its start, which CodeMirror
 * takes for a person's doing if it was drawn between losing the focus and the selection's going elsewhere. */
const whereItWas = EditorView.domEventHandlers({ focus: (_event, view) => view.focus() })

const shared: Extension[] = [
  drawSelection(),
  dropCursor(),
  EditorState.allowMultipleSelections.of(true),
  EditorView.clickAddsSelectionRange.of((event) => event.altKey),
  rectangularSelection({ eventFilter: (event) => event.altKey && event.shiftKey && event.button === 0 }),
  indentOnInput(),
  bracketMatching(),
  syntaxHighlighting(classHighlighter),
  guardSurrogates,
  unseenMarked,
  whereItWas,
  look,
  tooltipLook,
]

const kindOf = (language: Grammar): Kind => (language === 'markdown' || language === 'plain' ? 'prose' : 'code')

export function mountEditor(options: EditorOptions): EditorView {
  const { text, awareness, assistant } = options
  const atEdge = (view: EditorView, direction: -1 | 1): boolean => {
    const { main } = view.state.selection
    if (!main.empty) return false
    const line = view.state.doc.lineAt(main.head)
    const edge = direction < 0 ? line.number === 1 : line.number === view.state.doc.lines
    return edge && options.beyond(direction)
  }
  return new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        preferred(kindOf(options.language)),
        helping(assistant),
        keymap.of([
          ...yUndoManagerKeymap,
          { key: 'ArrowUp', run: (view) => atEdge(view, -1) },
          { key: 'ArrowDown', run: (view) => atEdge(view, 1) },
          ...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter' && binding.key !== 'Ctrl-m'),
          { key: 'Escape', run: () => (options.leave(), true) },
        ]),
        shared,
        grammarOf(options.language),
        options.lineNumbers ? lineNumbers() : [],
        options.pictures && !options.readOnly ? pictures(options.pictures) : [],
        options.placeholder ? placeholder(options.placeholder) : [],
        tooltips({ position: 'fixed', parent: document.body }),
        outside.of({ leave: options.leave, save: options.save ?? (() => undefined) }),
        EditorState.readOnly.of(options.readOnly),
        EditorState.phrases.of({ Completions: t('Completions') }),
        EditorView.contentAttributes.of(() => ({ tabindex: options.stop !== false || settings.getState().accessibility.tabMovesFocus ? '0' : '-1' })),
        EditorView.contentAttributes.of({ 'aria-label': options.name ?? t('Source'), spellcheck: options.language === 'markdown' ? 'true' : 'false', ...(options.readOnly && { 'aria-readonly': 'true' }) }),
        EditorView.focusChangeEffect.of((_state, focused) => (options.focused(focused), null)),
        yCollab(text, awareness, { undoManager: options.readOnly ? false : undoOf(text) }),
      ],
    }),
  })
}
