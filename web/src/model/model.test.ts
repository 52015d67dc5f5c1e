import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { seeded } from '../testing/seeded'
import { checksum, crc32 } from './checksum'
import { headingsIn } from './headings'
import { sourceHash } from './hash'
import { cellHistory, cellOf, convert, duplicate, insert, merge, move, order, remove, split, textOf, typeOf } from './notebook'
import { appended, spliced } from './outputs'
import { between, spread } from './position'
import { matches, parse } from './shortcut'
import { splitsPair } from './text'
import { FRESH, update } from './view'

function notebookOf(...sources: string[]): { doc: Y.Doc; ids: string[] } {
  const doc = new Y.Doc()
  const ids = insert(doc, null, sources.map((source) => ({ type: 'code' as const, source })), 'me')
  return { doc, ids }
}
const sources = (doc: Y.Doc) => order(doc).map((id) => textOf(cellOf(doc, id)!).toString())

test('a key always fits between its neighbours, wherever and however often one is made', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seeded(seed)
    const keys: string[] = []
    for (let i = 0; i < 400; i++) {
      const at = Math.floor(random() * (keys.length + 1))
      keys.splice(at, 0, between(keys[at - 1] ?? null, keys[at] ?? null, random))
    }
    expect(keys, `seed ${seed}`).toEqual([...keys].sort((a, b) => (a < b ? -1 : 1)))
    expect(keys.every((key) => /^[0-9A-Za-z]*[1-9A-Za-z]$/.test(key))).toBe(true)
  }
})

test('keys stay short while a notebook grows at its foot', () => {
  expect(Math.max(...spread(null, null, 1000).map((key) => key.length))).toBeLessThan(50)
})

test('cells are inserted, moved, deleted and come back', () => {
  const { doc, ids } = notebookOf('a', 'b', 'c')
  const history = cellHistory(doc)
  move(doc, [ids[0]!], 1)
  expect(sources(doc)).toEqual(['b', 'a', 'c'])
  move(doc, [ids[1]!, ids[0]!], 1)
  expect(sources(doc)).toEqual(['c', 'b', 'a'])
  remove(doc, [ids[2]!], 'me')
  expect(sources(doc)).toEqual(['b', 'a'])
  history.undo()
  history.undo()
  history.undo()

  expect(sources(doc)).toEqual(['a', 'b', 'c'])
})

test('undoing an insertion keeps what a colleague typed into it', () => {
  const { doc } = notebookOf('a')
  const history = cellHistory(doc)
  const [id] = insert(doc, null, [{ type: 'code' }], 'me')
  textOf(cellOf(doc, id!)!).insert(0, 'theirs')
  history.undo()
  expect(order(doc)).not.toContain(id)
  history.redo()

  expect(textOf(cellOf(doc, id!)!).toString()).toBe('theirs')
  expect(order(doc)).toContain(id)
})

test('undo takes back no operation of a colleague', () => {
  const { doc, ids } = notebookOf('a', 'b')
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  const history = cellHistory(doc)
  remove(other, [ids[0]!], 'them')
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
  history.undo()

  expect(sources(doc)).toEqual(['b'])
})

test('a cell is split at the cursor and merged again', () => {
  const { doc, ids } = notebookOf('one\ntwo')
  const [second] = split(doc, ids[0]!, [4], 'me')
  expect(sources(doc)).toEqual(['one', 'two'])
  merge(doc, [ids[0]!, second!], 'me')

  expect(sources(doc)).toEqual(['one\ntwo'])
})

test('a split never parts the halves of an emoji', () => {
  const { doc, ids } = notebookOf('a🙂b')
  split(doc, ids[0]!, [2], 'me')

  expect(sources(doc)).toEqual(['a🙂', 'b'])
  expect(splitsPair('a🙂b', 2)).toBe(true)
})

test('duplicates follow their originals, and a converted cell keeps its text', () => {
  const { doc, ids } = notebookOf('a', 'b')
  duplicate(doc, [ids[0]!], 'me')
  convert(doc, [ids[1]!], 'markdown')

  expect(sources(doc)).toEqual(['a', 'a', 'b'])
  expect(typeOf(cellOf(doc, ids[1]!)!)).toBe('markdown')
})

test('many clients that insert, move and delete at once end equal', () => {
  for (const seed of [11, 12, 13]) {
    const random = seeded(seed)
    const { doc } = notebookOf('a', 'b', 'c', 'd')
    const docs = [doc, new Y.Doc(), new Y.Doc()]
    const sync = (a: Y.Doc, b: Y.Doc) => Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)))
    for (const other of docs) sync(doc, other)
    for (let step = 0; step < 150; step++) {
      const here = docs[Math.floor(random() * 3)]!
      const ids = order(here)
      const id = ids[Math.floor(random() * ids.length)] ?? null
      const dice = random()
      if (dice < 0.3) insert(here, id, [{ type: 'code', source: '🙂' }], 'x')
      else if (dice < 0.6 && id) move(here, [id], random() < 0.5 ? 1 : -1)
      else if (dice < 0.7 && id) remove(here, [id], 'x')
      else if (dice < 0.8 && id) textOf(cellOf(here, id)!).insert(0, 'é')
      else sync(here, docs[Math.floor(random() * 3)]!)
    }
    for (const a of docs) for (const b of docs) sync(a, b)
    expect(new Set(docs.map(checksum)).size, `seed ${seed}`).toBe(1)
    expect(new Set(docs.map((each) => order(each).join())).size).toBe(1)
  }
})

test('the checksum is CRC-32 of ids, types, positions, deletions and sources', () => {
  const doc = new Y.Doc()
  const cells = doc.getMap('cells')
  const cell = (id: string, source: string, del: unknown) => cells.set(id, new Y.Map<unknown>([['t', 'code'], ['pos', 'V'], ['source', new Y.Text(source)], ['del', del]]))
  cell('b', 'é', { by: 'me', at: 1 })
  cell('a', 'x', null)

  expect(crc32(new TextEncoder().encode('123456789')).toString(16)).toBe('cbf43926')
  expect(checksum(doc)).toBe(crc32(new TextEncoder().encode('a\0code\0V\x000\0x\0b\0code\0V\x001\0é\0')).toString(16).padStart(8, '0'))
})

test('the hash is of the source as UTF-8', () => {
  expect(sourceHash('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(sourceHash('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c')
})

test('outputs are spliced, and a stream goes on from where it was kept', () => {
  const first = spliced([], 0, [{ output_type: 'stream', name: 'stdout', text: ['10%', '20%'] }])
  const next = appended(first, 0, 3, '\n30%')

  expect(next?.[0]).toMatchObject({ text: '10%\n30%' })
  expect(appended(first, 1, 0, 'x')).toBeNull()
})

test('Shift and the arrows choose a range from where they began', () => {
  const cells = ['a', 'b', 'c', 'd']
  let view = update(FRESH, { do: 'focus', cell: 'b', editing: false })
  view = update(view, { do: 'extend', to: 'd', order: cells })
  view = update(view, { do: 'extend', to: 'c', order: cells })

  expect([...view.selected]).toEqual(['b', 'c'])
  expect(view.focused).toBe('c')
})

test('when the focused cell goes, the next one has the focus', () => {
  const view = update(update(FRESH, { do: 'focus', cell: 'b', editing: true }), { do: 'gone', before: ['a', 'b', 'c'], order: ['a', 'c'] })

  expect(view.focused).toBe('c')
})

test('chords are read from their names', () => {
  const [lead, key] = parse('Mod+M -')
  const press = { code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false }

  expect(matches(lead!, { ...press, key: 'm', ctrlKey: true }, false, false)).toBe(true)
  expect(matches(key!, { ...press, key: '-' }, false, true)).toBe(true)
  expect(matches(lead!, { ...press, key: 'm' }, false, false)).toBe(false)
})

test('headings are found outside of code', () => {
  expect(headingsIn('# *One*\n```\n# not\n```\n### [Two](x) #')).toEqual([
    { level: 1, text: 'One' },
    { level: 3, text: 'Two' },
  ])
})
