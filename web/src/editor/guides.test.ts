import { EditorState } from '@codemirror/state'
import { expect, test } from 'vitest'
import { guidedColumns } from './guides'

const columns = (doc: string) => {
  const state = EditorState.create({ doc, extensions: [EditorState.tabSize.of(4)] })
  return Array.from({ length: state.doc.lines }, (_, at) => guidedColumns(state, state.doc.line(at + 1)))
}

test('a line has guides up to its text, tabs as wide as they are shown', () => {
  expect(columns('def f():\n    if x:\n        y\n\tz\n  \tw')).toEqual([0, 4, 8, 4, 4])
})

test('an empty line has those of both neighbours', () => {
  expect(columns('if x:\n    a\n\n    b\n  \nc\n')).toEqual([0, 4, 4, 4, 0, 0, 0])
})
