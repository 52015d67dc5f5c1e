/** Finding things in a JSON value, and saying where they are. */

export type Step = string | number
export interface Found {
  readonly path: readonly Step[]
  readonly value: unknown
}

export const FOUND_MAX = 200
/** A search looks at no more than this many values, so that the page never waits long. */
const VISITED_MAX = 500_000

const WORD = /^[A-Za-z_]\w*$/

/** As one would write it behind a variable's name in Python. */
export function pathText(path: readonly Step[]): string {
  return path.map((step) => `[${typeof step === 'number' ? step : JSON.stringify(step)}]`).join('')
}

/** Shorter, for reading: `a.b[0]`. */
export function shortPath(path: readonly Step[]): string {
  return path.map((step, at) => (typeof step === 'string' && WORD.test(step) ? `${at > 0 ? '.' : ''}${step}` : `[${typeof step === 'number' ? step : JSON.stringify(step)}]`)).join('')
}

/** Where a key or a plain value holds these words, whatever their case; at most FOUND_MAX places, in order. */
export function search(root: unknown, words: string): readonly Found[] {
  const wanted = words.toLowerCase()
  const found: Found[] = []
  let visited = 0
  const holds = (text: string) => text.toLowerCase().includes(wanted)
  // A stack and not a recursion: JSON may be nested deeper than a browser's calls.
  const stack: Found[] = [{ path: [], value: root }]
  while (stack.length > 0 && found.length < FOUND_MAX && visited < VISITED_MAX) {
    const here = stack.pop() as Found
    visited += 1
    const { path, value } = here
    const key = path.at(-1)
    const plain = typeof value !== 'object' || value === null
    if ((typeof key === 'string' && holds(key)) || (plain && holds(String(value)))) found.push(here)
    if (plain) continue
    const children = Array.isArray(value) ? value.map((child: unknown, at): Found => ({ path: [...path, at], value: child })) : Object.entries(value).map(([name, child]): Found => ({ path: [...path, name], value: child }))
    for (let at = children.length - 1; at >= 0; at -= 1) stack.push(children[at] as Found)
  }
  return found
}
