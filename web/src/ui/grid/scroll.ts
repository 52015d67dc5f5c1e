/** Where in a table one is. A browser's boxes end at some millions of pixels, a table does not: then the bar jumps, and small steps stay exact. */
export const ROW = 28
export const HEAD = 46
const HEIGHT_MAX = 8_000_000

/** `top`: pixels above the window, as if the box were as tall as the table; `base`: how far that is from the box's own. */
export interface Place {
  readonly top: number
  readonly base: number
}
export const START: Place = { top: 0, base: 0 }

export const boxHeight = (rows: number): number => Math.min(rows * ROW, HEIGHT_MAX)

/** The box was scrolled to here. */
export function scrolled(before: Place, at: number, rows: number, window: number): Place {
  const whole = rows * ROW
  const box = boxHeight(rows)
  if (whole === box) return { top: at, base: 0 }
  const last = Math.max(1, box - window)
  const end = Math.max(0, whole - window)
  if (at <= 0) return START
  if (at >= last) return { top: end, base: end - last }
  const step = at + before.base - before.top
  const top = Math.abs(step) <= 2 * window ? Math.min(end, Math.max(0, before.top + step)) : (at / last) * end
  return { top, base: top - at }
}

/** Go to this height; where the box has to be for it. */
export function placed(top: number, rows: number, window: number): { readonly place: Place; readonly at: number } {
  const whole = rows * ROW
  const box = boxHeight(rows)
  const end = Math.max(0, whole - window)
  const to = Math.min(end, Math.max(0, top))
  const at = whole === box ? to : Math.round((to / Math.max(1, end)) * Math.max(1, box - window))
  return { place: { top: to, base: to - at }, at }
}

/** The rows in the window, and a few around it. */
export function rowsShown({ top }: Place, rows: number, window: number): readonly [from: number, to: number] {
  return [Math.max(0, Math.floor(top / ROW) - 4), Math.min(rows, Math.ceil((top + window) / ROW) + 4)]
}

/** The columns in the window, of which these are the right edges. */
export function columnsShown(ends: readonly number[], left: number, width: number): readonly [from: number, to: number] {
  const from = firstAbove(ends, left)
  return [from, Math.min(ends.length, firstAbove(ends, left + width) + 1)]
}

function firstAbove(ends: readonly number[], at: number): number {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ends[middle]! <= at) low = middle + 1
    else high = middle
  }
  return low
}
