/** The small picture on a card: what a chart would look like, drawn of a few rows. Pure; the card makes SVG of it. */
import type { Rows } from '../../api/looking'
import type { Chart } from './charts'
import { wordsOf } from './formats'

/** Rows at even distances from the whole table. */
export const SAMPLED = 200
export const WIDTH = 120
export const HEIGHT = 72

export type Mark =
  /** `tone`: from -1 to 1, of a cell in a map of warm and cold. */
  | { readonly kind: 'rect'; readonly x: number; readonly y: number; readonly width: number; readonly height: number; readonly tone?: number; readonly open?: boolean }
  | { readonly kind: 'dot'; readonly x: number; readonly y: number }
  | { readonly kind: 'line'; readonly points: readonly (readonly [number, number])[] }

type Value = string | null

const BINS = 14
const BARS = 6
const BOXES = 5
const HEATED = 10
const PAD = 4

/** Of these columns, in the chart's own order. Nothing: there is too little to draw. */
export function sketched(sketch: Chart['sketch'], columns: readonly (readonly Value[])[]): readonly Mark[] {
  const [first = [], second = first] = columns
  switch (sketch) {
    case 'histogram': return histogram(finite(first))
    case 'bars': return bars(first)
    case 'scatter': return pairs(first, second, Number).map(([x, y]) => ({ kind: 'dot', x, y }))
    case 'line': return line(columns.length > 1 ? pairs(first, second, Date.parse) : pairs(first.map((_, at) => String(at)), first, Number))
    case 'box': return boxes(columns.length > 1 ? groups(first, second) : [finite(first)])
    case 'heat': return heat(columns)
  }
}

/** The columns of an answer, by their places in the table. */
export const sampleOf = (places: readonly number[], { cells }: Rows): ReadonlyMap<number, readonly Value[]> => new Map(places.map((place, at) => [place, (cells[at] ?? []).map(wordsOf)]))

const numberOf = (value: Value): number => (value === null || value === '' ? Number.NaN : Number(value))
const finite = (values: readonly Value[]): number[] => values.map(numberOf).filter(Number.isFinite)

/** From the least to the most of these, drawn from `from` to `to`. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const low = Math.min(...values)
  const span = Math.max(...values) - low
  return (value) => (span > 0 && Number.isFinite(span) ? round(from + ((value - low) / span) * (to - from)) : (from + to) / 2)
}

const round = (value: number): number => Math.round(value * 10) / 10

function histogram(values: readonly number[]): Mark[] {
  if (values.length === 0) return []
  const place = scale(values, 0, BINS)
  const counts = new Array<number>(BINS).fill(0)
  for (const value of values) counts[Math.min(BINS - 1, Math.floor(place(value)))]! += 1
  return upright(counts)
}

function upright(counts: readonly number[]): Mark[] {
  const most = Math.max(1, ...counts)
  const step = (WIDTH - 2 * PAD) / counts.length
  return counts.map((count, at) => {
    const height = round((count / most) * (HEIGHT - 2 * PAD))
    return { kind: 'rect', x: round(PAD + at * step), y: round(HEIGHT - PAD - height), width: round(step - 1), height }
  })
}

function bars(values: readonly Value[]): Mark[] {
  const counted = new Map<string, number>()
  for (const value of values) if (value !== null) counted.set(value, (counted.get(value) ?? 0) + 1)
  const largest = [...counted.values()].sort((one, other) => other - one).slice(0, BARS)
  const step = (HEIGHT - 2 * PAD) / Math.max(1, largest.length)
  return largest.map((count, at) => ({ kind: 'rect', x: PAD, y: round(PAD + at * step + step * 0.12), width: round((count / largest[0]!) * (WIDTH - 2 * PAD)), height: round(step * 0.76) }))
}

function pairs(one: readonly Value[], other: readonly Value[], read: (words: string) => number): (readonly [number, number])[] {
  const found = one.map((x, at) => [x === null ? Number.NaN : read(x), numberOf(other[at] ?? null)] as const).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
  const across = scale(found.map(([x]) => x), PAD, WIDTH - PAD)
  const up = scale(found.map(([, y]) => y), HEIGHT - PAD, PAD)
  return found.map(([x, y]) => [across(x), up(y)])
}

const line = (points: readonly (readonly [number, number])[]): Mark[] => (points.length > 1 ? [{ kind: 'line', points: [...points].sort(([one], [other]) => one - other) }] : [])

function groups(names: readonly Value[], values: readonly Value[]): number[][] {
  const found = new Map<string, number[]>()
  names.forEach((name, at) => {
    const value = numberOf(values[at] ?? null)
    if (name !== null && Number.isFinite(value)) found.set(name, [...(found.get(name) ?? []), value])
  })
  return [...found.values()].sort((one, other) => other.length - one.length).slice(0, BOXES)
}

function boxes(all: readonly number[][]): Mark[] {
  const some = all.filter((values) => values.length > 0)
  const up = scale(some.flat(), HEIGHT - PAD, PAD)
  const step = (WIDTH - 2 * PAD) / Math.max(1, some.length)
  return some.flatMap((values, at): Mark[] => {
    const sorted = [...values].sort((one, other) => one - other)
    const [low, lower, middle, upper, high] = [0, 0.25, 0.5, 0.75, 1].map((share) => up(sorted[Math.round(share * (sorted.length - 1))]!)) as [number, number, number, number, number]
    const centre = round(PAD + (at + 0.5) * step)
    const half = round(Math.min(14, step * 0.32))
    const across = (y: number): Mark => ({ kind: 'line', points: [[centre - half, y], [centre + half, y]] })
    return [
      { kind: 'line', points: [[centre, high], [centre, upper]] }, { kind: 'line', points: [[centre, lower], [centre, low]] },
      { kind: 'rect', x: centre - half, y: upper, width: 2 * half, height: Math.max(1, round(lower - upper)), open: true }, across(middle),
    ]
  })
}

function heat(columns: readonly (readonly Value[])[]): Mark[] {
  const numbers = columns.slice(0, HEATED).map((values) => values.map(numberOf))
  const side = (HEIGHT - 2 * PAD) / Math.max(1, numbers.length)
  const left = (WIDTH - side * numbers.length) / 2
  return numbers.flatMap((one, row) => numbers.map((other, at): Mark => ({ kind: 'rect', x: round(left + at * side), y: round(PAD + row * side), width: round(side), height: round(side), tone: correlation(one, other) })))
}

/** Pearson's, of the rows where both are numbers; 0 where it has no meaning. */
export function correlation(one: readonly number[], other: readonly number[]): number {
  const both = one.map((x, at) => [x, other[at] ?? Number.NaN] as const).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
  const mean = (at: 0 | 1) => both.reduce((sum, pair) => sum + pair[at], 0) / both.length
  const [x, y] = [mean(0), mean(1)]
  const sum = (of: (pair: readonly [number, number]) => number) => both.reduce((total, pair) => total + of(pair), 0)
  const spread = Math.sqrt(sum(([a]) => (a - x) ** 2) * sum(([, b]) => (b - y) ** 2))
  const found = sum(([a, b]) => (a - x) * (b - y)) / spread
  return Number.isFinite(found) ? Math.max(-1, Math.min(1, found)) : 0
}
