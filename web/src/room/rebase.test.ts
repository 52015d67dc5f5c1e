import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { cellOf, insert, order, remove, textOf } from '../model/notebook'
import { merge, steps } from './merge'
import { rebase, versions } from './rebase'

function notebook(cells: Record<string, string>): Y.Doc {
  const doc = new Y.Doc()
  Object.entries(cells).forEach(([id, source], at) => {
    doc.getMap('cells').set(id, new Y.Map<unknown>([['t', 'code'], ['pos', `V${String.fromCharCode(65 + at)}`], ['source', new Y.Text(source)], ['md', new Y.Map()], ['att', new Y.Map()], ['del', null]]))
  })
  return doc
}
const copyOf = (doc: Y.Doc) => {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}
const sources = (doc: Y.Doc) => order(doc).map((id) => String(textOf(cellOf(doc, id)!)))

test.each([
  ['a\nb\nc\n', 'a\nB\nc\n', 'a\nb\nC\n'.replace('C', 'c'), 'a\nB\nc\n', false],
  ['a\nb\nc\nd\n', 'A\nb\nc\nd\n', 'a\nb\nc\nD\n', 'A\nb\nc\nD\n', false],
  ['a\nb\n', 'a\nmine\n', 'a\ntheirs\n', 'a\ntheirs\n', true],
  ['', 'mine', 'theirs', 'theirs', true],
  ['a', 'a\nb', 'a', 'a\nb', false],
])('lines are merged three ways: %j', (base, ours, theirs, text, clashes) => {
  expect(merge(base, ours, theirs)).toEqual({ text, clashes })
})

test('edits of an earlier life of the document are made in the next one, and what clashes is named', () => {
  const base = notebook({ one: 'x = 1\ny = 2\nz = 3\n', two: 'kept', three: 'gone', four: 'same line' })
  const ours = copyOf(base)
  textOf(cellOf(ours, 'one')!).insert(0, '# mine\n')
  textOf(cellOf(ours, 'four')!).insert(0, 'mine: ')
  remove(ours, ['three'], 'ada')
  insert(ours, 'two', [{ type: 'code', source: 'new here' }], 'ada')
  const doc = notebook({ one: 'x = 1\ny = 2\nz = 3\n# theirs\n', two: 'kept', three: 'gone', four: 'theirs: same line' })

  const left = rebase(doc, base, ours, 'ada')

  expect(sources(doc)).toEqual(['# mine\nx = 1\ny = 2\nz = 3\n# theirs\n', 'kept', 'new here', 'theirs: same line'])
  expect(left).toEqual(['four'])
  expect(versions(doc, ours, left)).toEqual([{ cell: 'four', ours: 'mine: same line', theirs: 'theirs: same line' }])
})

test('doing it twice changes nothing more', () => {
  const base = notebook({ one: 'a\nb\nc\nd\n' })
  const ours = copyOf(base)
  textOf(cellOf(ours, 'one')!).insert(0, 'mine\n')
  insert(ours, 'one', [{ type: 'markdown', source: 'more' }], 'ada')
  const doc = notebook({ one: 'a\nb\nc\nd\ntheirs\n' })
  rebase(doc, base, ours, 'ada')
  const once = sources(doc)

  expect(rebase(doc, base, ours, 'ada')).toEqual([])
  expect(sources(doc)).toEqual(once)
})

test('a cell that was deleted there, and edited here, is shown to the person', () => {
  const base = notebook({ one: 'a' })
  const ours = copyOf(base)
  textOf(cellOf(ours, 'one')!).insert(1, 'b')
  const doc = notebook({ one: 'a' })
  remove(doc, ['one'], 'bob')

  const left = rebase(doc, base, ours, 'ada')

  expect(versions(doc, ours, left)).toEqual([{ cell: 'one', ours: 'ab', theirs: null }])
})

test('a character of two units is never cut', () => {
  expect(steps('a😀b', 'a😁b')).toEqual([{ at: 1, remove: 2, insert: '😁' }])
})
