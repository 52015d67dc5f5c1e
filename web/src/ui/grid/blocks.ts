/** The parts of a table that this page has: fetched when they are looked at, few at a time, and forgotten when there are many. */
import type { Rows } from '../../api/looking'

export const ROWS = 100
export const COLUMNS = 20
const KEPT_MAX = 240
const AT_ONCE = 3
const REST_MS = 40

export type Cell = Rows['cells'][number][number]
type Fetch = (columns: readonly number[], offset: number, limit: number, asker: string, signal: AbortSignal) => Promise<Rows>

export interface Found {
  readonly total: number
  readonly partial: boolean
  readonly tookMs: number
}

interface Told {
  readonly changed: () => void
  readonly found: (found: Found) => void
  readonly failed: (error: unknown) => void
  /** Nobody waits for what was asked in this name: an order of many rows need not be made to its end. */
  readonly left: (asker: string) => void
}

/** A name under which what was asked can be let go. */
export const newAsker = (): string => Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10)).join('')

export class Blocks {
  private readonly asker = newAsker()
  private readonly kept = new Map<string, Rows>()
  private readonly coming = new Map<string, AbortController>()
  private wanted: readonly string[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private ended = false

  constructor(
    private readonly columns: number,
    private readonly fetch: Fetch,
    private readonly told: Told,
  ) {}

  close(): void {
    this.ended = true
    clearTimeout(this.timer)
    if (this.coming.size > 0) this.told.left(this.asker)
    for (const controller of this.coming.values()) controller.abort()
  }

  cell(row: number, column: number): Cell | undefined {
    const block = this.kept.get(key(row, column))
    return block?.cells[column % COLUMNS]?.[row % ROWS]
  }

  names(row: number): readonly string[] | undefined {
    const start = Math.floor(row / ROWS)
    for (let column = 0; column < Math.max(1, this.columns); column += COLUMNS) {
      const block = this.kept.get(`${start} ${column / COLUMNS}`)
      if (block) return block.names[row % ROWS]
    }
    return undefined
  }

  /** These rows of these columns are looked at now, and nothing else. */
  look(from: number, to: number, columns: readonly number[]): void {
    const wanted = new Set<string>()
    for (let row = Math.floor(from / ROWS) * ROWS; row < Math.max(to, from + 1); row += ROWS) for (const column of columns.length > 0 ? columns : [0]) wanted.add(key(row, column))
    this.wanted = [...wanted]
    for (const one of this.wanted) {
      const block = this.kept.get(one)
      if (block) {
        this.kept.delete(one)
        this.kept.set(one, block)
      }
    }
    for (const [one, controller] of this.coming) if (!wanted.has(one)) controller.abort()
    clearTimeout(this.timer)
    // Who scrolls past does not want what lies between; the first look is answered at once.
    if (this.kept.size === 0 && this.coming.size === 0) this.go()
    else this.timer = setTimeout(() => this.go(), REST_MS)
  }

  private go(): void {
    for (const one of this.wanted) {
      if (this.ended || this.coming.size >= AT_ONCE) return
      if (!this.kept.has(one) && !this.coming.has(one)) void this.get(one)
    }
  }

  private async get(one: string): Promise<void> {
    const controller = new AbortController()
    this.coming.set(one, controller)
    const [row, column] = one.split(' ').map(Number) as [number, number]
    const columns = Array.from({ length: Math.min(COLUMNS, this.columns - column * COLUMNS) }, (_, at) => column * COLUMNS + at)
    try {
      const rows = await this.fetch(columns, row * ROWS, ROWS, this.asker, controller.signal)
      if (this.ended || controller.signal.aborted) return
      this.kept.set(one, rows)
      for (const old of this.kept.keys()) {
        if (this.kept.size <= KEPT_MAX) break
        this.kept.delete(old)
      }
      this.told.found({ total: rows.total, partial: rows.partial, tookMs: rows.took_ms })
      this.told.changed()
    } catch (error) {
      if (!this.ended && !controller.signal.aborted) {
        this.wanted = []
        this.told.failed(error)
      }
    } finally {
      this.coming.delete(one)
      this.go()
    }
  }
}

const key = (row: number, column: number) => `${Math.floor(row / ROWS)} ${Math.floor(column / COLUMNS)}`
