/** JSON as people write it into a comment: single quotes, bare keys, commas too many, Python's names of constants. */

export type Relaxed = string | number | boolean | null | readonly Relaxed[] | { readonly [key: string]: Relaxed }

const NOTHING = Symbol('nothing')
const DEPTH_MAX = 8
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null, True: true, False: false, None: null }

export class RelaxedReader {
  private at = 0

  constructor(private readonly text: string) {}

  /** The next list or object in the text; undefined when what comes is neither, or is not whole. */
  next(): Relaxed | undefined {
    this.blank()
    const begins = this.text[this.at]
    if (begins !== '[' && begins !== '{') return undefined
    const value = this.value(0)
    return value === NOTHING ? undefined : (value as Relaxed)
  }

  private value(depth: number): Relaxed | typeof NOTHING {
    this.blank()
    const letter = this.text[this.at]
    if (letter === undefined || depth > DEPTH_MAX) return NOTHING
    if (letter === '[') return this.list(depth)
    if (letter === '{') return this.map(depth)
    if (letter === '"' || letter === "'") return this.string(letter)
    const word = /^[^\s,:\]}]+/.exec(this.text.slice(this.at))?.[0]
    if (word === undefined) return NOTHING
    this.at += word.length
    if (Object.hasOwn(CONSTANTS, word)) return CONSTANTS[word]!
    const number = Number(word)
    return Number.isFinite(number) ? number : word
  }

  private list(depth: number): Relaxed | typeof NOTHING {
    const items: Relaxed[] = []
    this.at += 1
    for (;;) {
      this.blank()
      if (this.take(']')) return items
      if (this.take(',')) continue
      const item = this.value(depth + 1)
      if (item === NOTHING) return NOTHING
      items.push(item as Relaxed)
    }
  }

  private map(depth: number): Relaxed | typeof NOTHING {
    const entries: [string, Relaxed][] = []
    this.at += 1
    for (;;) {
      this.blank()
      if (this.take('}')) return Object.fromEntries(entries)
      if (this.take(',')) continue
      const key = this.value(DEPTH_MAX)
      this.blank()
      if (key === NOTHING || !this.take(':')) return NOTHING
      const value = this.value(depth + 1)
      if (value === NOTHING) return NOTHING
      entries.push([String(key as Relaxed), value as Relaxed])
    }
  }

  private string(quote: string): string | typeof NOTHING {
    let text = ''
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const letter = this.text[this.at]!
      if (letter === quote) {
        this.at += 1
        return text
      }
      if (letter === '\\' && this.at + 1 < this.text.length) {
        this.at += 1
        const next = this.text[this.at]!
        text += next === 'n' ? '\n' : next === 't' ? '\t' : next
      } else text += letter
    }
    return NOTHING
  }

  private take(letter: string): boolean {
    if (this.text[this.at] !== letter) return false
    this.at += 1
    return true
  }

  private blank(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1
  }
}
