/** Searches many texts. A regular expression of a person's own works beside the page, and is ended when it does not. */
import { FOUND_MAX, type Found, findIn, patternOf, type Query, templateOf } from './query'

export type Texts = readonly (readonly [id: string, text: string])[]

export interface Result {
  readonly found: ReadonlyMap<string, readonly Found[]>
  /** There is more than is told. */
  readonly capped: boolean
}

export interface Job {
  readonly query: Query
  readonly texts: Texts
  /** Null: nothing is to be replaced. */
  readonly replacement: string | null
}

export function searched({ query, texts, replacement }: Job): Result {
  const pattern = patternOf(query)
  const template = replacement === null ? null : templateOf(replacement, query.regex)
  const found = new Map<string, readonly Found[]>()
  let left = FOUND_MAX
  for (const [id, text] of texts) {
    const here = findIn(text, pattern, template, left)
    if (here.length > 0) found.set(id, here)
    left -= here.length
    if (left <= 0) return { found, capped: true }
  }
  return { found, capped: false }
}

const PATIENCE_MS = 2000

export class TooSlow extends Error {}

/** One search at a time; a newer one ends the one before, whose promise is then never kept. */
export class Searcher {
  private worker: Worker | null = null
  private timer: ReturnType<typeof setTimeout> | undefined

  async search(job: Job): Promise<Result> {
    // What is not a pattern is told at once, and what is looked for as it stands takes no time.
    patternOf(job.query)
    if (this.timer !== undefined) this.end()
    if (!job.query.regex) return searched(job)
    const worker = (this.worker ??= new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }))
    return new Promise((resolve, reject) => {
      this.timer = setTimeout(() => {
        this.end()
        reject(new TooSlow())
      }, PATIENCE_MS)
      worker.onmessage = ({ data }: MessageEvent<Result>) => {
        clearTimeout(this.timer)
        this.timer = undefined
        resolve(data)
      }
      worker.onerror = () => {
        this.end()
        reject(new TooSlow())
      }
      worker.postMessage(job)
    })
  }

  end(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.worker?.terminate()
    this.worker = null
  }
}
