/** Chance for tests: the same numbers for the same seed (mulberry32). */

/** Numbers from 0 up to, and without, 1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Whole numbers from 0 up to, and without, what is asked for. */
export function dice(seed: number): (below: number) => number {
  const next = seeded(seed)
  return (below) => Math.floor(next() * below)
}
