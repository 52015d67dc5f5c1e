/** What is done inside of a cell's text, with its cursors and lines. */
import * as on from '@codemirror/commands'
import { foldAll, foldCode, unfoldAll, unfoldCode } from '@codemirror/language'
import type { EditorView } from '@codemirror/view'
import { t } from '../../i18n'
import { notifyError } from '../kit'
import type { Desk } from '../notebook/desk'
import { type Command, focused } from './model'

const editor = (desk: Desk): EditorView | undefined => desk.editors.getState().get(desk.view.getState().focused ?? '')
const writing = (desk: Desk): boolean => focused(desk) && desk.view.getState().editing && editor(desk) !== undefined

/** The text has the focus back, from wherever it was asked. */
const inText = (act: (view: EditorView) => boolean) => (desk: Desk): void => {
  const view = editor(desk)
  if (!view) return
  view.focus()
  act(view)
}

type Searching = 'selectNextOccurrence' | 'selectSelectionMatches' | 'gotoLine'

/** Comes when it is first asked for. */
const searching = (name: Searching) => (view: EditorView): boolean => {
  void import('@codemirror/search').then(
    (search) => {
      // All that is like the word at the cursor, when nothing is selected yet.
      const word = name === 'selectSelectionMatches' && view.state.selection.main.empty ? view.state.wordAt(view.state.selection.main.head) : null
      if (word) view.dispatch({ selection: { anchor: word.from, head: word.to } })
      search[name](view)
    },
    (error: unknown) => notifyError(t('This could not be loaded'), error),
  )
  return true
}

const text = (id: string, name: string, keys: readonly string[], group: number, act: (view: EditorView) => boolean, needs?: 'write'): Command => ({
  id, name, keys, menu: 'Edit', under: 'Text', inside: true, group, ...(needs && { needs }), enabled: writing, run: inText(act),
})

export const TEXT: readonly Command[] = [
  text('comment-lines', 'Comment lines in or out', ['Mod+/'], 1, on.toggleComment, 'write'),
  text('indent-lines', 'Indent lines', [], 1, on.indentMore, 'write'),
  text('outdent-lines', 'Indent lines less', [], 1, on.indentLess, 'write'),
  text('line-up', 'Move lines up', ['Alt+ArrowUp'], 2, on.moveLineUp, 'write'),
  text('line-down', 'Move lines down', ['Alt+ArrowDown'], 2, on.moveLineDown, 'write'),
  text('copy-line-up', 'Copy lines up', ['Shift+Alt+ArrowUp'], 2, on.copyLineUp, 'write'),
  text('copy-line-down', 'Copy lines down', ['Shift+Alt+ArrowDown'], 2, on.copyLineDown, 'write'),
  text('delete-line', 'Delete lines', ['Mod+Shift+K'], 2, on.deleteLine, 'write'),
  text('select-line', 'Select the line', ['Mod+L'], 3, on.selectLine),
  text('next-occurrence', 'Add the next occurrence to the selection', ['Mod+D'], 3, searching('selectNextOccurrence')),
  text('all-occurrences', 'Select all occurrences', ['Mod+Shift+L'], 3, searching('selectSelectionMatches')),
  text('cursor-above', 'Add a cursor above', ['Mod+Alt+ArrowUp'], 3, on.addCursorAbove),
  text('cursor-below', 'Add a cursor below', ['Mod+Alt+ArrowDown'], 3, on.addCursorBelow),
  text('goto-line', 'Go to line…', ['Mod+Alt+G'], 4, searching('gotoLine')),
  text('fold-code', 'Fold the code', ['Mod+Shift+['], 5, foldCode),
  text('unfold-code', 'Unfold the code', ['Mod+Shift+]'], 5, unfoldCode),
  text('fold-all-code', 'Fold all code of the cell', [], 5, foldAll),
  text('unfold-all-code', 'Unfold all code of the cell', [], 5, unfoldAll),
]
