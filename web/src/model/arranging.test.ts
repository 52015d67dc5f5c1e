// @vitest-environment jsdom
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { fromJson, fromOffered, portions, toHtml, toJson } from './clipboard'
import { factsOf, hideOutputs, hideSource, lock } from './facts'
import { headingsIn } from './headings'
import { cellHistory, cellOf, type Draft, insert, merge, moveAfter, order, remove, split, textOf, undo } from './notebook'
import { above, layout, sectionOf } from './sections'
import { FRESH, update } from './view'

function notebookOf(...sources: string[]): { doc: Y.Doc; ids: string[] } {
  const doc = new Y.Doc()
  return { doc, ids: insert(doc, null, sources.map((source) => ({ type: 'code' as const, source })), 'me') }
}
const sources = (doc: Y.Doc) => order(doc).map((id) => textOf(cellOf(doc, id)!).toString())
const sync = (a: Y.Doc, b: Y.Doc) => {
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)))
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)))
}

/** Two people in one notebook, each with a document of their own. */
function two(...cells: string[]): { mine: Y.Doc; theirs: Y.Doc; ids: string[] } {
  const { doc: mine, ids } = notebookOf(...cells)
  const theirs = new Y.Doc()
  sync(mine, theirs)
  return { mine, theirs, ids }
}

test('cells are put anywhere, and keep their order among themselves', () => {
  const { doc, ids } = notebookOf('a', 'b', 'c', 'd', 'e')
  moveAfter(doc, [ids[3]!, ids[1]!], ids[4]!)
  expect(sources(doc)).toEqual(['a', 'c', 'e', 'b', 'd'])
  moveAfter(doc, [ids[4]!], null)
  expect(sources(doc)).toEqual(['e', 'a', 'c', 'b', 'd'])
  moveAfter(doc, [ids[1]!, ids[3]!], ids[3]!)

  expect(sources(doc), 'beside themselves they stay').toEqual(['e', 'a', 'c', 'b', 'd'])
})

test('several cursors cut a cell into several', () => {
  const { doc, ids } = notebookOf('one\ntwo\nthree')
  const made = split(doc, ids[0]!, [8, 4], 'me')

  expect(sources(doc)).toEqual(['one', 'two', 'three'])
  expect(order(doc)).toEqual([ids[0], ...made])
})

test('a deletion that is undone brings back the cell with what a colleague typed meanwhile', () => {
  const { mine, theirs, ids } = two('a', 'b')
  const history = cellHistory(mine)
  remove(mine, [ids[0]!], 'me')
  textOf(cellOf(theirs, ids[0]!)!).insert(1, ' theirs')
  sync(mine, theirs)
  undo(mine, history)
  sync(mine, theirs)

  expect(sources(mine)).toEqual(['a theirs', 'b'])
  expect(sources(theirs)).toEqual(sources(mine))
})

test('an insertion that is undone leaves the cell where a colleague has written in it', () => {
  const { mine, theirs } = two('a')
  const history = cellHistory(mine)
  const [kept, gone] = insert(mine, null, [{ type: 'code', source: 'x' }, { type: 'code', source: 'y' }], 'me')
  sync(mine, theirs)
  textOf(cellOf(theirs, kept!)!).insert(1, '+theirs')
  sync(mine, theirs)
  expect(undo(mine, history)).toEqual([kept])
  sync(mine, theirs)

  expect(sources(theirs)).toEqual(['x+theirs', 'a'])
  expect(order(theirs)).not.toContain(gone)
})

test('a merge that is undone takes away no text of a colleague', () => {
  const { mine, theirs, ids } = two('a', 'b')
  const history = cellHistory(mine)
  merge(mine, ids, 'me')
  sync(mine, theirs)
  textOf(cellOf(theirs, ids[0]!)!).insert(3, '!')
  sync(mine, theirs)
  undo(mine, history)
  sync(mine, theirs)

  expect(sources(mine)).toEqual(['a!', 'b'])
  expect(sources(theirs)).toEqual(sources(mine))
})

test('a move that a colleague has changed since is theirs', () => {
  const { mine, theirs, ids } = two('a', 'b', 'c')
  const history = cellHistory(mine)
  moveAfter(mine, [ids[0]!], ids[2]!)
  sync(mine, theirs)
  moveAfter(theirs, [ids[0]!], ids[1]!)
  sync(mine, theirs)
  undo(mine, history)

  expect(sources(mine)).toEqual(['b', 'a', 'c'])
})

test('what is hidden and locked stands in the keys of nbformat, and leaves nothing behind', () => {
  const { doc, ids } = notebookOf('a')
  const cell = cellOf(doc, ids[0]!)!
  const metadata = cell.get('md') as Y.Map<unknown>
  metadata.set('jupyter', { mine: 1 })
  hideSource(doc, ids, true)
  hideOutputs(doc, ids, true)
  lock(doc, ids, true)
  expect(metadata.toJSON()).toEqual({ jupyter: { mine: 1, source_hidden: true, outputs_hidden: true }, collapsed: true, editable: false })
  expect(factsOf(cell)).toEqual({ sourceHidden: true, outputsHidden: true, readOnly: true, kept: true })
  hideSource(doc, ids, false)
  hideOutputs(doc, ids, false)
  lock(doc, ids, false)

  expect(metadata.toJSON()).toEqual({ jupyter: { mine: 1 } })
})

test('collapsed sections hide what follows, up to a heading of the same rank or a higher one', () => {
  const cells = ['intro', 'h1', 'a', 'h2', 'b', 'h1b', 'c']
  const levels: Record<string, number> = { h1: 1, h2: 2, h1b: 1 }
  const levelOf = (id: string) => levels[id] ?? null
  const open = layout(cells, levelOf, new Set())
  expect(open.shown).toEqual(cells)
  expect(Object.fromEntries([...open.sections].map(([id, { size }]) => [id, size]))).toEqual({ h2: 1, h1: 3, h1b: 1 })
  expect(sectionOf(cells, open.sections, 'h1')).toEqual(['h1', 'a', 'h2', 'b'])
  expect(above(cells, open.sections, 'b')).toEqual(['h2', 'h1'])

  const closed = layout(cells, levelOf, new Set(['h1', 'h2']), open)
  expect(closed.shown).toEqual(['intro', 'h1', 'h1b', 'c'])
  expect([...closed.hidden]).toEqual(['a', 'h2', 'b'])
  expect(closed.sections.get('h1b'), 'what is the same stays the same object').toBe(open.sections.get('h1b'))
  expect(layout(cells, levelOf, new Set(['h1', 'h2']), closed).shown).toBe(closed.shown)
})

test('cells go through the clipboard in the form of JupyterLab, without ids, runs and outputs', () => {
  const drafts: Draft[] = [
    { type: 'code', source: 'print("<é>")\n', metadata: { tags: ['x'] }, attachments: {} },
    { type: 'markdown', source: '![](attachment:a.png)', metadata: {}, attachments: { 'a.png': { 'image/png': 'AAAA' } } },
  ]
  expect(fromOffered({ cells: toJson(drafts) })).toEqual(drafts)
  expect(fromOffered({ html: toHtml(drafts), text: 'print' })).toEqual(drafts)
  const jupyterLab = JSON.stringify([{ cell_type: 'code', id: 'abc', metadata: { id: 'abc', executionInfo: {}, k: 1 }, source: ['a\n', 'b'], outputs: [{ output_type: 'stream' }], execution_count: 3 }])
  expect(fromOffered({ text: jupyterLab })).toEqual([{ type: 'code', source: 'a\nb', metadata: { k: 1 }, attachments: {} }])
})

test('text that is no list of cells is one code cell, and what a document may not hold is left out', () => {
  expect(fromOffered({ text: 'x = 1\r\ny' })).toEqual([{ type: 'code', source: 'x = 1\ny' }])
  expect(fromOffered({ text: '[1, 2]' })).toEqual([{ type: 'code', source: '[1, 2]' }])
  expect(fromOffered({ text: ' \n' })).toEqual([])
  const hostile = `[{"cell_type":"raw","source":"a\\ud800","metadata":{"__proto__":{"x":1},"deep":${'['.repeat(40)}${']'.repeat(40)}}}]`
  const [cell] = fromJson(hostile)!
  expect(cell!.source).toBe('a\ufffd')
  expect(JSON.stringify(cell!.metadata)).not.toContain('['.repeat(30))
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

test('a large paste goes in portions that a frame can hold', () => {
  const big: Draft = { type: 'code', source: 'x'.repeat(600) }
  expect(portions([big, big, big], 1500)!.map((part) => part.length)).toEqual([2, 1])
  expect(portions([big], 500)).toBeNull()
})

test('headings are read as people read them', () => {
  expect(headingsIn('# **Bold** and `code_x` in *it* [link](x) <b>t</b>\n## snake_case \\# x').map(({ text }) => text)).toEqual(['Bold and code_x in it link t', 'snake_case # x'])
})

test('Ctrl and a click add a cell to what is chosen, and take it out again', () => {
  const cells = ['a', 'b', 'c']
  let view = update(FRESH, { do: 'focus', cell: 'a', editing: false })
  view = update(view, { do: 'toggle', cell: 'c', order: cells })
  expect([...view.selected]).toEqual(['a', 'c'])
  view = update(view, { do: 'toggle', cell: 'c', order: cells })
  expect([view.focused, ...view.selected]).toEqual(['a', 'a'])

  expect(update(view, { do: 'toggle', cell: 'a', order: cells })).toBe(view)
})
