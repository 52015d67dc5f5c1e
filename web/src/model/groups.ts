/**
 * Cells in groups of about 32, which the page draws one by one: what a browser does with every key (place boxes, look
 * which are near, find what is pointed at) then costs as much as its groups, and not as its cells.
 *
 * A cell stays in its group while the order changes around it: one that goes to another is made anew, with its editor
 * and the frame of its output.
 */
import type { CellId } from './wire'

/** How many cells a new group takes. One that people write in grows beyond it; it is not cut under their hands. */
export const GROUP = 32

export interface Group {
  /** Its own among the groups of one notebook. */
  readonly key: number
  readonly cells: readonly CellId[]
}

/** The cells in this order, in groups; what stays the same of earlier groups is the same object. */
export function grouped(order: readonly CellId[], before: readonly Group[] = []): readonly Group[] {
  const places = new Map<CellId, number>()
  before.forEach(({ cells }, at) => {
    for (const id of cells) places.set(id, at)
  })
  const kept = staying(order.map((id) => places.get(id) ?? -1))
  let next = Math.max(-1, ...before.map(({ key }) => key)) + 1
  const made: { key: number; cells: CellId[] }[] = []
  let open: { place: number; cells: CellId[] } | null = null
  const begin = (place: number) => {
    open = { place, cells: [] }
    made.push({ key: place < 0 ? next++ : before[place]!.key, cells: open.cells })
    return open
  }
  const last = kept.findLastIndex((place) => place >= 0)
  kept.forEach((place, at) => {
    let group = open ?? begin(place)
    // A cell that is new joins the one above it, unless it stands at an end, where there is room for other groups.
    const full = group.cells.length >= GROUP && (at > last || group.place < 0)
    if (place >= 0 ? place !== group.place : full) group = begin(place)
    group.cells.push(order[at]!)
  })
  return unchanged(made, before)
}

/** These groups; what is the same as before is the same object. */
export function unchanged(groups: readonly Group[], before: readonly Group[]): readonly Group[] {
  const known = new Map(before.map((group) => [group.key, group]))
  return groups.map((group) => {
    const was = known.get(group.key)
    return was && same(was.cells, group.cells) ? was : group
  })
}

/**
 * Of the places that things came from, the longest row that does not fall, and -1 for the others: what was moved over
 * others is a part of no such row. By patience sorting.
 */
function staying(places: readonly number[]): readonly number[] {
  const tops: number[] = []
  const above = places.map((place, at) => {
    if (place < 0) return -1
    let [low, high] = [0, tops.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (places[tops[middle]!]! <= place) low = middle + 1
      else high = middle
    }
    tops[low] = at
    return low === 0 ? -1 : tops[low - 1]!
  })
  const rows = places.map(() => -1)
  for (let at = tops.at(-1) ?? -1; at >= 0; at = above[at]!) rows[at] = places[at]!
  return rows
}

const same = (one: readonly CellId[], other: readonly CellId[]): boolean => one.length === other.length && one.every((id, at) => id === other[at])
