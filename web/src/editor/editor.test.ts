import { EditorState } from '@codemirror/state'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { dice } from '../testing/seeded'
import { completes } from './assist'
import { undoOf } from './history'
import { guardSurrogates } from './surrogates'

const stateOf = (doc: string, head = doc.length) => EditorState.create({ doc, selection: { anchor: head }, extensions: [guardSurrogates] })

test('deleting half of a character deletes the whole of it', () => {
  const state = stateOf('a🙂b')
  const next = state.update({ changes: { from: 1, to: 2 } }).state

  expect(next.doc.toString()).toBe('ab')
})

test('an insertion into the middle of a character lands beside it', () => {
  const next = stateOf('🙂').update({ changes: { from: 1, insert: 'x' } }).state

  expect(next.doc.toString().isWellFormed()).toBe(true)
  expect(next.doc.toString()).toContain('x')
})

test('text with a lone half is mended before it is shared', () => {
  const next = stateOf('').update({ changes: { from: 0, insert: 'a\ud83d' } }).state

  expect(next.doc.toString()).toBe('a\ufffd')
})

test('random edits around emoji always leave whole characters', () => {
  const random = dice(7)
  let state = stateOf('🙂a🙃é👩‍🚀b')
  for (let step = 0; step < 500; step++) {
    const from = random(state.doc.length + 1)
    const to = Math.min(state.doc.length, from + random(4))
    state = state.update({ changes: { from, to, insert: ['', 'x', '🙂', '\ud83d', '\ude42'][random(5)]! } }).state
    expect(state.doc.toString().isWellFormed(), `step ${step}`).toBe(true)
  }
})

test('Tab completes after a word or a dot, and indents elsewhere', () => {
  expect(completes(stateOf('np.'))).toBe(true)
  expect(completes(stateOf('np.ar'))).toBe(true)
  expect(completes(stateOf('    '))).toBe(false)
  expect(completes(stateOf(''))).toBe(false)
  expect(completes(stateOf('x = '))).toBe(false)
})

test('what was typed can be undone after the editor was put away', () => {
  const text = new Y.Doc().getText('source')
  const editor = {}
  undoOf(text).addTrackedOrigin(editor)
  text.doc!.transact(() => text.insert(0, 'typed'), editor)
  undoOf(text).removeTrackedOrigin(editor)
  undoOf(text).undo()

  expect(text.toString()).toBe('')
})
