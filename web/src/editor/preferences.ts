/** What a person set about editors: on those that are alive at once, and on the still text beside them. */
import { codeFolding, foldGutter, indentUnit } from '@codemirror/language'
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state'
import { EditorView, lineNumbers, ViewPlugin } from '@codemirror/view'
import type { Settings } from '../settings/model'
import { settings } from '../settings/store'
import { guides } from './guides'

/** Code is numbered and folded; prose always wraps. */
export type Kind = 'code' | 'prose'

const chosen = new Compartment()
const vim = new Compartment()
const NO_KEYS: Extension = []
const alive = new Map<EditorView, Kind>()

/** The marks take of the room that stands before a line anyway, so that nothing moves. */
const folding: Extension = [codeFolding({ placeholderText: '⋯' }), foldGutter({ openText: '⌄', closedText: '›' }), EditorView.theme({ '.cm-line': { padding: '0 14px 0 2px' } })]

export function extensionOf({ editor }: Settings, kind: Kind): Extension {
  const code = kind === 'code'
  return [
    indentUnit.of(' '.repeat(editor.indent)),
    EditorState.tabSize.of(editor.indent),
    editor.wrap || !code ? EditorView.lineWrapping : [],
    editor.lineNumbers && code ? lineNumbers() : [],
    editor.folding && code ? folding : [],
    editor.guides && code ? guides : [],
  ]
}

/** What an editor of this kind begins with; from then on it follows what is set. */
export function preferred(kind: Kind): Extension {
  return [Prec.highest(vim.of(NO_KEYS)), chosen.of(extensionOf(settings.getState(), kind)), ViewPlugin.define((view) => new Following(view, kind))]
}

class Following {
  constructor(
    private readonly view: EditorView,
    kind: Kind,
  ) {
    alive.set(view, kind)
    // A view that is being made takes no orders yet.
    queueMicrotask(() => alive.has(view) && takeKeys(view, settings.getState()))
  }

  destroy(): void {
    alive.delete(this.view)
  }
}

function takeKeys(view: EditorView, now: Settings): void {
  view.setTabFocusMode(now.accessibility.tabMovesFocus)
  const has = vim.get(view.state) !== NO_KEYS
  if (now.keys.preset !== 'vim') {
    if (has) view.dispatch({ effects: vim.reconfigure(NO_KEYS) })
    return
  }
  import('./vim').then(
    ({ vimKeys }) => {
      if (alive.has(view) && settings.getState().keys.preset === 'vim') view.dispatch({ effects: vim.reconfigure(vimKeys) })
    },
    // Without them the usual keys work on; the next editor tries again.
    () => undefined,
  )
}

/** A line for each ruler, which the still text has as well. */
function rulers(columns: readonly number[]): string {
  const lines = columns.filter((column) => column > 0 && column < 1000).map((column) => `linear-gradient(var(--line), var(--line)) ${column}ch 0 / 1px 100% no-repeat`)
  return lines.join(', ') || 'none'
}

/** The roles of type that editors and still text read. */
function paint({ editor }: Settings): void {
  const { style, dataset } = document.documentElement
  const size = Math.min(32, Math.max(8, editor.fontSize))
  style.setProperty('--code-size', `${size}px`)
  style.setProperty('--code-line', `${Math.round(size * 1.5)}px`)
  // What a person typed may not end the declaration: a custom property takes any value that is whole.
  style.setProperty('--code-font', editor.fontFamily.trim() === '' ? 'var(--font-code)' : `${editor.fontFamily.replace(/[;{}()]/g, '')}, var(--font-code)`)
  style.setProperty('--code-ligatures', editor.ligatures ? 'normal' : 'none')
  style.setProperty('--code-indent', String(editor.indent))
  style.setProperty('--code-rulers', rulers(editor.rulers))
  dataset.codeWrap = String(editor.wrap)
  dataset.codeNumbers = String(editor.lineNumbers)
}

paint(settings.getState())
settings.subscribe((now, before) => {
  if (now.editor !== before.editor) {
    paint(now)
    for (const [view, kind] of alive) view.dispatch({ effects: chosen.reconfigure(extensionOf(now, kind)) })
  }
  if (now.keys.preset !== before.keys.preset || now.accessibility.tabMovesFocus !== before.accessibility.tabMovesFocus) for (const view of alive.keys()) takeKeys(view, now)
  for (const view of alive.keys()) view.requestMeasure()
})
