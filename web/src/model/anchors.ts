/** Where in a cell's text a thread of comments is: relative positions that survive edits, and a quote for when they do not. */
import * as Y from 'yjs'
import { cellOf, isCell, isDeleted, textOf } from './notebook'
import type { CellId } from './wire'

/** Two relative positions of Yjs in Base64. They come from strangers: anything may be in them. */
export interface Anchor {
  readonly start: string
  readonly end: string
}
export interface Place {
  readonly cell: CellId
  readonly anchor?: Anchor | null
  readonly quote: string
  readonly before: string
  readonly after: string
}
export interface Range {
  readonly from: number
  readonly to: number
}

/** Where a thread is now: on a range, on its cell as a whole, or on what is not there any more. */
export type Found =
  | { readonly kind: 'range'; readonly range: Range }
  | { readonly kind: 'cell' }
  | { readonly kind: 'lost'; readonly what: 'cell' | 'text' }

export const QUOTE_MAX = 1000
const CONTEXT_MAX = 100
const ANCHOR_MAX = 200
const PLACES_MAX = 100
const NEAR = 20

/** The place of a range; without one, of the whole cell. */
export function placeOf(doc: Y.Doc, cell: CellId, range: Range | null): Place {
  const map = cellOf(doc, cell)
  if (!map || range === null || range.from >= range.to) return { cell, quote: '', before: '', after: '' }
  const text = textOf(map)
  const words = text.toString()
  const { from, to } = range
  const anchor = { start: position(text, from, 0), end: position(text, to, -1) }
  return { cell, anchor, quote: whole(words.slice(from, to)).slice(0, QUOTE_MAX), before: whole(words.slice(Math.max(0, from - CONTEXT_MAX), from)), after: whole(words.slice(to, to + CONTEXT_MAX)) }
}

export function find(doc: Y.Doc, place: Place): Found {
  const map = cellOf(doc, place.cell)
  if (!map || !isCell(map) || isDeleted(map)) return { kind: 'lost', what: 'cell' }
  if (!place.anchor) return { kind: 'cell' }
  const text = textOf(map)
  const range = resolved(doc, text, place.anchor)
  if (range === null) {
    const again = quoted(text.toString(), place)
    return again === null ? { kind: 'lost', what: 'text' } : { kind: 'range', range: again }
  }
  if (range.from < range.to) return { kind: 'range', range }
  const back = restored(text.toString(), range.from, place)
  return back === null ? { kind: 'lost', what: 'text' } : { kind: 'range', range: back }
}

/** The range that an anchor means now, empty when its text was deleted; null when it means nothing here. */
export function resolved(doc: Y.Doc, text: Y.Text, anchor: Anchor): Range | null {
  const from = index(doc, text, anchor.start)
  const to = index(doc, text, anchor.end)
  if (from === null || to === null) return null
  return { from, to: Math.max(from, to) }
}

/** To the character at `at` (0), or to the one before it (-1): what is typed at the borders stays outside. */
function position(text: Y.Text, at: number, side: 0 | -1): string {
  const bytes = Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(text, at, side))
  return btoa(String.fromCharCode(...bytes))
}

function index(doc: Y.Doc, text: Y.Text, encoded: string): number | null {
  if (encoded.length > ANCHOR_MAX) return null
  try {
    const relative = Y.decodeRelativePosition(Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)))
    const { item } = relative
    // Yjs throws for what no client here ever wrote, and finds any shared type that a stranger names.
    if (!item || !Number.isSafeInteger(item.client) || Y.getState(doc.store, item.client) <= item.clock) return null
    const absolute = Y.createAbsolutePositionFromRelativePosition(relative, doc)
    return absolute?.type === text ? absolute.index : null
  } catch {
    // Not a position at all.
    return null
  }
}

/** The deleted text that somebody's undo brought back, in new letters near the old place: only their own browser knows them. */
function restored(words: string, at: number, place: Place): Range | null {
  const { quote } = place
  if (quote === '') return null
  if (words.startsWith(quote, at)) return { from: at, to: at + quote.length }
  if (words.endsWith(quote, at)) return { from: at - quote.length, to: at }
  const near = between(words, place).find((from) => Math.abs(from - at) <= CONTEXT_MAX + quote.length)
  return near === undefined ? null : { from: near, to: near + quote.length }
}

/** Where the quote stands now, if it stands in one place alone, or in one that its surroundings tell from the others. */
function quoted(words: string, place: Place): Range | null {
  const { quote } = place
  if (quote === '') return null
  const surrounded = between(words, place)
  const [only, ...others] = surrounded.length > 0 ? surrounded : everywhere(words, quote)
  return only === undefined || others.length > 0 ? null : { from: only, to: only + quote.length }
}

function everywhere(words: string, quote: string): number[] {
  const at: number[] = []
  for (let from = words.indexOf(quote); from !== -1 && at.length < PLACES_MAX; from = words.indexOf(quote, from + 1)) at.push(from)
  return at
}

/** Where the quote stands between what stood around it. */
function between(words: string, { quote, before, after }: Place): number[] {
  return everywhere(words, quote).filter((from) => words.slice(0, from).endsWith(before.slice(-NEAR)) && words.startsWith(after.slice(0, NEAR), from + quote.length))
}

/** Without halves of letters at its ends, which no server takes. */
function whole(text: string): string {
  return text.replace(/^[\udc00-\udfff]/, '').replace(/[\ud800-\udbff]$/, '')
}
