/** Anchors against a reference that marks the characters themselves, through random edits by several people. */
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { seeded } from '../testing/seeded'
import { type Anchor, find, type Place, placeOf, resolved } from './anchors'
import { cellHistory, cellOf, cellsOf, insert, move, order, remove, textOf } from './notebook'

const EDITS = Number(process.env.COLLEGIUM_ANCHOR_EDITS ?? 4_000)
/** A long form takes its time, and machines are busy. */
const PATIENCE = { timeout: 600_000 }
const COMPARED_EVERY = 100
const PEOPLE = 4
const THREADS = 12

/** A notebook with one cell, as everybody first saw it. */
function notebook(source: string): Y.Doc {
  const doc = new Y.Doc()
  insert(doc, null, [{ type: 'code', source }], 'ada')
  return doc
}

const first = (doc: Y.Doc): string => order(doc)[0]!

/** Characters that can be told apart: the reference follows each of them. */
let serial = 0
const fresh = (length: number): string => Array.from({ length }, () => String.fromCodePoint(0x1_0000 + serial++)).join('')

interface Marked {
  readonly place: Place
  /** The characters that were chosen. */
  readonly letters: readonly string[]
}

function mark(doc: Y.Doc, cell: string, random: () => number): Marked {
  const letters = [...textOf(cellOf(doc, cell)!).toString()]
  const from = Math.floor(random() * (letters.length - 1))
  const to = from + 1 + Math.floor(random() * Math.min(30, letters.length - from - 1))
  // Two units a letter.
  return { place: placeOf(doc, cell, { from: 2 * from, to: 2 * to }), letters: letters.slice(from, to) }
}

/** The text with what was deleted still standing in it, so that every character keeps its place among the others. */
class Reference {
  private letters: { readonly letter: string; gone: boolean }[]

  constructor(text: string) {
    this.letters = [...text].map((letter) => ({ letter, gone: false }))
  }

  insert(at: number, text: string): void {
    let seen = 0
    const place = this.letters.findIndex(({ gone }) => !gone && seen++ === at)
    this.letters.splice(place === -1 ? this.letters.length : place, 0, ...[...text].map((letter) => ({ letter, gone: false })))
  }

  delete(at: number, count: number): void {
    let seen = 0
    for (const one of this.letters) {
      if (one.gone) continue
      if (seen >= at && seen < at + count) one.gone = true
      seen++
    }
  }

  get length(): number {
    return this.letters.filter(({ gone }) => !gone).length
  }

  range({ letters }: Marked): { from: number; to: number } {
    const before = (place: number) => 2 * this.letters.slice(0, place).filter(({ gone }) => !gone).length
    const place = (letter: string) => this.letters.findIndex((one) => one.letter === letter)
    return { from: before(place(letters[0]!)), to: before(place(letters.at(-1)!) + 1) }
  }
}

function exchange(docs: readonly Y.Doc[]): void {
  for (const from of docs) for (const to of docs) if (from !== to) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), 'remote')
}

/** Several people who have the same notebook. */
function people(count: number): { readonly docs: readonly Y.Doc[]; readonly cell: string } {
  const origin = notebook(fresh(200))
  insert(origin, first(origin), [{ type: 'code', source: 'another' }], 'bob')
  const docs = Array.from({ length: count }, () => new Y.Doc())
  for (const doc of docs) Y.applyUpdate(doc, Y.encodeStateAsUpdate(origin))
  return { docs, cell: first(docs[0]!) }
}

describe('anchors', () => {
  it.each([1, 2])('mean exactly the characters of a reference that keeps every place (seed %i)', PATIENCE, (seed) => {
    const random = seeded(seed)
    const { docs, cell } = people(PEOPLE)
    const expected = new Reference(textOf(cellOf(docs[0]!, cell)!).toString())
    const histories = docs.map(cellHistory)
    const marked = Array.from({ length: THREADS }, () => mark(docs[0]!, cell, random))

    for (let edit = 0; edit < EDITS / 2; edit++) {
      const who = Math.floor(random() * PEOPLE)
      const doc = docs[who]!
      const text = textOf(cellOf(doc, cell)!)
      const letters = expected.length
      const what = random()
      if (what < 0.5 || letters < 60) {
        const at = Math.floor(random() * (letters + 1))
        const typed = fresh(1 + Math.floor(random() * 3))
        text.insert(2 * at, typed)
        expected.insert(at, typed)
      } else if (what < 0.95) {
        const at = Math.floor(random() * letters)
        const count = Math.min(letters - at, 1 + Math.floor(random() * 4))
        text.delete(2 * at, 2 * count)
        expected.delete(at, count)
      } else if (what < 0.97) move(doc, [cell], random() < 0.5 ? -1 : 1)
      else if (what < 0.985) remove(doc, [cell], 'bob')
      else histories[who]!.undo()
      const update = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(docs[(who + 1) % PEOPLE]!))
      for (const other of docs) if (other !== doc) Y.applyUpdate(other, update, 'remote')
      if (edit % COMPARED_EVERY !== 0) continue
      for (const other of docs) for (const one of marked) expect(resolved(other, textOf(cellOf(other, cell)!), one.place.anchor!), `seed ${seed}, edit ${edit}`).toEqual(expected.range(one))
    }
  })

  it.each([3, 4])('hold what is left of their text while people edit apart, undo and come together (seed %i)', PATIENCE, (seed) => {
    const random = seeded(seed)
    const { docs, cell } = people(PEOPLE)
    const undos = docs.map((doc) => new Y.UndoManager(textOf(cellOf(doc, cell)!), { captureTimeout: 0 }))
    const marked = Array.from({ length: THREADS }, () => mark(docs[0]!, cell, random))
    // Undo brings a character back as a new one, which nobody chose.
    const alive = new Set(marked.flatMap(({ letters }) => letters))

    for (let edit = 0; edit < EDITS / 2; edit++) {
      const who = Math.floor(random() * PEOPLE)
      const text = textOf(cellOf(docs[who]!, cell)!)
      const letters = text.length / 2
      const what = random()
      if (what < 0.5 || letters < 60) text.insert(2 * Math.floor(random() * (letters + 1)), fresh(1 + Math.floor(random() * 3)))
      else if (what < 0.9) {
        const at = Math.floor(random() * letters)
        const count = Math.min(letters - at, 1 + Math.floor(random() * 4))
        for (const letter of text.toString().slice(2 * at, 2 * (at + count))) alive.delete(letter)
        text.delete(2 * at, 2 * count)
      } else if (what < 0.95) undos[who]!.undo()
      else undos[who]!.redo()
      const here = new Set(text.toString())
      if (what >= 0.9) for (const letter of alive) if (!here.has(letter)) alive.delete(letter)
      if (edit % COMPARED_EVERY !== 0) continue
      exchange(docs)
      for (const doc of docs) {
        const words = textOf(cellOf(doc, cell)!).toString()
        for (const one of marked) {
          const range = resolved(doc, textOf(cellOf(doc, cell)!), one.place.anchor!)!
          const left = one.letters.filter((letter) => alive.has(letter))
          expect([...words.slice(range.from, range.to)].filter((letter) => left.includes(letter)), `seed ${seed}, edit ${edit}`).toEqual(left)
        }
      }
    }
  })

  it('leave out what is typed at their borders, and take in what is typed between', () => {
    const doc = notebook('one two three')
    const cell = first(doc)
    const text = textOf(cellOf(doc, cell)!)
    const place = placeOf(doc, cell, { from: 4, to: 7 })
    text.insert(7, '!')
    text.insert(4, '?')
    text.insert(6, '-')

    expect(text.toString()).toBe('one ?t-wo! three')
    expect(find(doc, place)).toEqual({ kind: 'range', range: { from: 5, to: 9 } })
  })

  it('say that their text is gone, and find it again after undo and, by its quote, in a notebook made anew', () => {
    const doc = notebook('alpha beta gamma')
    const cell = first(doc)
    const text = textOf(cellOf(doc, cell)!)
    const place = placeOf(doc, cell, { from: 6, to: 10 })
    const undo = new Y.UndoManager(text)
    const other = new Y.Doc()
    text.delete(5, 6)
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))

    expect(find(doc, place)).toEqual({ kind: 'lost', what: 'text' })
    expect(find(other, place)).toEqual({ kind: 'lost', what: 'text' })
    expect(place).toMatchObject({ quote: 'beta', before: 'alpha ', after: ' gamma' })

    undo.undo()
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    for (const each of [doc, other]) {
      const found = find(each, place)
      expect(found.kind === 'range' && textOf(cellOf(each, cell)!).toString().slice(found.range.from, found.range.to)).toBe('beta')
    }

    const imported = notebook('alpha beta gamma')
    const same = { ...place, cell: first(imported) }
    expect(find(imported, same)).toEqual({ kind: 'range', range: { from: 6, to: 10 } })
  })

  it('are told from others with the same quote by what stands around them', () => {
    const doc = notebook('x = 1\ny = 1\nz = 1\n')
    const cell = first(doc)
    const place = { ...placeOf(doc, cell, { from: 10, to: 11 }), anchor: { start: 'AAAA', end: 'AAAA' } }

    expect(find(doc, place)).toEqual({ kind: 'range', range: { from: 10, to: 11 } })
    expect(find(doc, { ...place, before: 'elsewhere', after: 'elsewhere' })).toEqual({ kind: 'lost', what: 'text' })
  })

  it('go with a deleted cell and come back with undo', () => {
    const doc = notebook('print(1)')
    const cell = first(doc)
    const history = cellHistory(doc)
    const place = placeOf(doc, cell, { from: 0, to: 5 })
    remove(doc, [cell], 'ada')
    expect(find(doc, place)).toEqual({ kind: 'lost', what: 'cell' })
    history.undo()

    expect(find(doc, place)).toEqual({ kind: 'range', range: { from: 0, to: 5 } })
    expect(find(doc, { ...place, cell: 'no-such-cell' })).toEqual({ kind: 'lost', what: 'cell' })
  })

  it('that are garbage mean nothing and break nothing', () => {
    const random = seeded(7)
    const doc = notebook('some text')
    const cell = first(doc)
    const good = placeOf(doc, cell, { from: 0, to: 4 }).anchor!
    const other = Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(cellsOf(doc) as never, 0))
    const garbage: string[] = ['', '!', 'AAAA', '////', 'A'.repeat(100_000), 'AP////////8=', 'AQEBAQEB', btoa(String.fromCharCode(...other))]
    for (let at = 0; at < 2000; at++) {
      const bytes = [...atob(good.start)]
      for (let flips = 0; flips < 3; flips++) bytes[Math.floor(random() * bytes.length)] = String.fromCharCode(Math.floor(random() * 256))
      garbage.push(btoa(bytes.slice(0, 1 + Math.floor(random() * bytes.length)).join('')))
    }
    const before = Y.encodeStateAsUpdate(doc)

    for (const start of garbage) {
      const anchor: Anchor = { start, end: random() < 0.5 ? good.end : start }
      const found = find(doc, { cell, anchor, quote: 'nowhere', before: '', after: '' })
      if (found.kind === 'range') expect(found.range.to).toBeLessThanOrEqual('some text'.length)
      else expect(found).toEqual({ kind: 'lost', what: 'text' })
    }
    expect(Y.encodeStateAsUpdate(doc)).toEqual(before)
  })

  it('never hand out half a letter', () => {
    const doc = notebook('a😀b')
    const place = placeOf(doc, first(doc), { from: 2, to: 4 })

    expect(place.quote).toBe('b')
    expect(place.before).toBe('a')
  })
})
