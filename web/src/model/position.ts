/** Fractional keys that put a cell between two others without touching either. */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const TAIL = 3

export type Random = () => number

/**
 * A key above `low` and below `high`; null is an open end. The random tail keeps two people who insert at the same
 * place from making the same key. Keys that do not leave room (equal ones) give a key just above `low`.
 */
export function between(low: string | null, high: string | null, random: Random = Math.random): string {
  const below = low ?? ''
  const above = high !== null && below < high ? high : null
  let bounded = above !== null
  let prefix = ''
  for (let at = 0; ; at++) {
    const from = at < below.length ? DIGITS.indexOf(below[at]!) : 0
    const to = bounded ? (at < above!.length ? DIGITS.indexOf(above![at]!) : 0) : DIGITS.length
    if (to - from > 1) {
      // Towards an open end, steps of one keep keys short while a notebook grows at its foot.
      const digit = bounded ? (from + to) >> 1 : from + 1
      return prefix + DIGITS[digit]! + tail(random)
    }
    if (to > from) bounded = false
    prefix += DIGITS[from]!
  }
}

/** `count` keys in ascending order, all between `low` and `high`. */
export function spread(low: string | null, high: string | null, count: number, random: Random = Math.random): string[] {
  const keys: string[] = []
  for (let i = 0; i < count; i++) keys.push(between(keys.at(-1) ?? low, high, random))
  return keys
}

function tail(random: Random): string {
  let text = ''
  for (let i = 0; i < TAIL; i++) {
    const lowest = i === TAIL - 1 ? 1 : 0
    text += DIGITS[lowest + Math.floor(random() * (DIGITS.length - lowest))]!
  }
  return text
}
