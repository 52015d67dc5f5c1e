/** Text that two sides changed, brought together line by line. */
import { diff } from '@codemirror/merge'
import { splitsPair } from '../model/text'

export interface Merged {
  readonly text: string
  /** Both sides changed the same lines; the text has theirs there. */
  readonly clashes: boolean
}

const SURROGATES_FROM = 0xd7ff
const SURROGATES = 0x800
const LETTERS_MAX = 0xffff - SURROGATES - 1

interface Piece {
  /** Lines of the base, and what stands there now. */
  readonly from: number
  readonly to: number
  readonly lines: readonly string[]
}

export function merge(base: string, ours: string, theirs: string): Merged {
  if (ours === theirs || ours === base) return { text: theirs, clashes: false }
  if (theirs === base) return { text: ours, clashes: false }
  const old = lines(base)
  const mine = pieces(old, lines(ours))
  const other = pieces(old, lines(theirs))
  const fits = mine.filter((piece) => !other.some((one) => touch(piece, one)))
  const clashes = mine.some((piece) => other.some((one) => touch(piece, one) && !same(piece, one)))
  const all = [...other, ...fits].sort((a, b) => a.from - b.from || a.to - b.to)
  const result: string[] = []
  let at = 0
  for (const { from, to, lines: next } of all) {
    result.push(...old.slice(at, from), ...next)
    at = to
  }
  return { text: [...result, ...old.slice(at)].join(''), clashes }
}

/** The smallest changes that make one text of another, in the order of the text. */
export function steps(before: string, after: string): readonly { readonly at: number; readonly remove: number; readonly insert: string }[] {
  return diff(before, after).map(({ fromA, toA, fromB, toB }) => {
    // A character of two units is changed whole.
    const back = splitsPair(before, fromA) || splitsPair(after, fromB) ? 1 : 0
    const on = splitsPair(before, toA) || splitsPair(after, toB) ? 1 : 0
    return { at: fromA - back, remove: toA + on - fromA + back, insert: after.slice(fromB - back, toB + on) }
  })
}

const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []
/** Neighbours count: two insertions at one place have no order. */
const touch = (a: Piece, b: Piece): boolean => a.from <= b.to && b.from <= a.to
const same = (a: Piece, b: Piece): boolean => a.from === b.from && a.to === b.to && a.lines.join('') === b.lines.join('')

/** Each line as one character, so that what compares characters compares lines. */
function pieces(before: readonly string[], after: readonly string[]): Piece[] {
  const letters = new Map<string, string>()
  const letter = (line: string) => {
    const known = letters.get(line)
    if (known !== undefined) return known
    // Around the surrogates, which stand for no character alone.
    const next = String.fromCharCode(1 + letters.size + (letters.size >= SURROGATES_FROM ? SURROGATES : 0))
    letters.set(line, next)
    return next
  }
  const word = (all: readonly string[]) => all.map(letter).join('')
  const [from, to] = [word(before), word(after)]
  if (letters.size > LETTERS_MAX) return [{ from: 0, to: before.length, lines: after }]
  return diff(from, to).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, lines: after.slice(fromB, toB) }))
}
