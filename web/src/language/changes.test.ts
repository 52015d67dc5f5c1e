import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { lock } from '../model/facts'
import { cellHistory, cellOf, insert, order, textOf } from '../model/notebook'
import { change, offsetOf, positionOf } from './changes'

const notebook = (...sources: string[]) => {
  const doc = new Y.Doc()
  insert(doc, null, sources.map((source) => ({ type: 'code' as const, source })), 'u1')
  return doc
}
const texts = (doc: Y.Doc) => order(doc).map((id) => textOf(cellOf(doc, id)!).toString())
const edit = (line: number, from: number, to: number, text: string) => ({ range: { start: { line, character: from }, end: { line, character: to } }, text })

test('places count UTF-16, and one beyond the text is its end', () => {
  const text = 'é𝒳 = 1\n\nß'

  for (let at = 0; at <= text.length; at++) expect(offsetOf(text, positionOf(text, at))).toBe(at)
  expect(offsetOf(text, { line: 0, character: 99 })).toBe(7)
  expect(offsetOf(text, { line: 9, character: 0 })).toBe(text.length)
})

test('every place of every cell is changed in one step of undo, and read-only cells stay', () => {
  const doc = notebook('a = a + 1', 'print(a)\n𝒳 = a', 'a')
  const [first, second, third] = order(doc)
  const history = cellHistory(doc)
  lock(doc, [third!], true)
  history.clear()

  const done = change(doc, new Map([
    [first!, [edit(0, 0, 1, 'total'), edit(0, 4, 5, 'total')]],
    [second!, [edit(0, 6, 7, 'total'), edit(1, 5, 6, 'total')]],
    [third!, [edit(0, 0, 1, 'total')]],
    ['gone', [edit(0, 0, 1, 'x')]],
  ]))

  expect(done).toEqual({ cells: 2, places: 4, locked: 1 })
  expect(texts(doc)).toEqual(['total = total + 1', 'print(total)\n𝒳 = total', 'a'])
  history.undo()
  expect(texts(doc)).toEqual(['a = a + 1', 'print(a)\n𝒳 = a', 'a'])
  expect(history.canUndo()).toBe(false)
})

test('changes that reach into each other, or backwards, are left out', () => {
  const doc = notebook('abcdef')
  const [only] = order(doc)

  change(doc, new Map([[only!, [edit(0, 0, 4, 'X'), edit(0, 3, 5, 'Y'), edit(0, 6, 2, 'Z')]]]))

  expect(texts(doc)).toEqual(['abcYf'])
})
