/** Carrying files into a runtime piece by piece: several at a time, and a cut connection only makes them wait. */
import { t } from '../../i18n'
import { ApiError } from '../../api/client'

/** One file's way to where it goes. */
export interface Line {
  /** Gives how much has arrived. */
  send(offset: number, total: number, piece: Blob, signal: AbortSignal): Promise<number>
  received(signal: AbortSignal): Promise<number>
}

export interface Progress {
  sent(bytes: number): void
  paused(paused: boolean): void
  /** Resolves when it is worth another try. */
  rest(failures: number, signal: AbortSignal): Promise<void>
}

const PIECE_FIRST = 256 * 1024
const PIECE_MIN = 64 * 1024
const PIECE_MAX = 8 * 1024 * 1024
/** A piece should take about this long, so that progress shows and little is lost by a cut. */
const PIECE_MS = 400
/** Refusals in a row before we believe them. A cut connection is waited for as long as it takes. */
const REFUSALS_MAX = 6

/** Rejects with an ApiError; `cancelled` when `signal` says so. */
export async function carry(file: Blob, line: Line, progress: Progress, signal: AbortSignal): Promise<void> {
  let offset = 0
  let size = PIECE_FIRST
  let failures = 0
  let refusals = 0
  let whole = false
  while (!whole) {
    const piece = await readable(file.slice(offset, offset + size))
    try {
      const began = performance.now()
      const arrived = await line.send(offset, file.size, piece, signal)
      if (arrived < offset + piece.size) throw new ApiError(409, 'conflict', t('The runtime did not take the whole piece.'))
      size = fitting(size, performance.now() - began)
      offset += piece.size
      failures = refusals = 0
      progress.paused(false)
      progress.sent(offset)
      whole = offset >= file.size
    } catch (error) {
      if (signal.aborted) throw new ApiError(0, 'cancelled', 'Cancelled.')
      if (!passing(error) || (status(error) !== 0 && ++refusals > REFUSALS_MAX)) throw error
      size = PIECE_MIN
      offset = await again(line, ++failures, progress, signal)
      // A last piece that arrived although its answer did not is sent once more: the server knows it by its offset.
      offset = Math.min(offset, Math.max(0, file.size - 1))
      progress.sent(offset)
    }
  }
}

async function again(line: Line, failures: number, progress: Progress, signal: AbortSignal): Promise<number> {
  for (let tries = failures; ; tries += 1) {
    progress.paused(true)
    await progress.rest(tries, signal)
    try {
      return await line.received(signal)
    } catch (error) {
      if (signal.aborted) throw new ApiError(0, 'cancelled', 'Cancelled.')
      if (!passing(error)) throw error
    }
  }
}

async function readable(piece: Blob): Promise<Blob> {
  try {
    return new Blob([await piece.arrayBuffer()])
  } catch {
    throw new ApiError(0, 'unreadable', t('The file changed or cannot be read any more.'))
  }
}

const fitting = (size: number, took: number) => Math.round(Math.min(PIECE_MAX, Math.max(PIECE_MIN, size * Math.min(2, PIECE_MS / Math.max(1, took)))))
const status = (error: unknown) => (error instanceof ApiError ? error.status : -1)

/** Whether the same may succeed later: no connection, a server that starts anew, a piece out of turn. */
function passing(error: unknown): boolean {
  return error instanceof ApiError && error.code !== 'unreadable' && error.code !== 'cancelled' && [0, 409, 425, 429, 500, 502, 503, 504].includes(error.status)
}

const REST_FIRST_MS = 300
const REST_MAX_MS = 10_000

/** Growing waits, ended early when the browser says that the network is back. */
export function rested(failures: number, signal: AbortSignal): Promise<void> {
  const wait = Math.min(REST_MAX_MS, REST_FIRST_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
  return new Promise((done) => {
    const over = () => {
      clearTimeout(timer)
      removeEventListener('online', over)
      signal.removeEventListener('abort', over)
      done()
    }
    const timer = setTimeout(over, wait)
    addEventListener('online', over)
    signal.addEventListener('abort', over)
  })
}

export type TransferState = 'waiting' | 'sending' | 'paused' | 'done' | 'failed' | 'cancelled'
export interface Transfer {
  readonly key: number
  /** As it is shown: a name, or a path below the folder that was dropped. */
  readonly name: string
  readonly path: string
  readonly size: number
  readonly sent: number
  readonly state: TransferState
  readonly error?: string
}

export interface Sending {
  readonly name: string
  readonly path: string
  readonly file: Blob
}

const TOGETHER_MAX = 3

/** The uploads into one runtime. */
export class Transfers {
  private list: readonly Transfer[] = []
  private readonly files = new Map<number, { readonly file: Blob; readonly mark: string; stop: AbortController }>()
  private readonly listeners = new Set<() => void>()
  private last = 0

  constructor(
    private readonly lineTo: (path: string, mark: string) => Line,
    private readonly arrived: (path: string) => void,
    private readonly rest: Progress['rest'] = rested,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly snapshot = (): readonly Transfer[] => this.list

  add(sendings: readonly Sending[]): void {
    const added = sendings.map(({ name, path, file }): Transfer => {
      const key = ++this.last
      this.files.set(key, { file, mark: Math.random().toString(36).slice(2), stop: new AbortController() })
      return { key, name, path, size: file.size, sent: 0, state: 'waiting' }
    })
    this.set([...this.list, ...added])
    this.next()
  }

  cancel(key: number): void {
    this.files.get(key)?.stop.abort()
    if (this.list.find((one) => one.key === key)?.state === 'waiting') this.change(key, { state: 'cancelled' })
  }

  retry(key: number): void {
    const file = this.files.get(key)
    if (file === undefined) return
    file.stop = new AbortController()
    this.change(key, { state: 'waiting', sent: 0 })
    this.next()
  }

  /** Stop all that goes on: the runtime is gone, or the page is left. */
  close(): void {
    for (const { key } of this.list) this.cancel(key)
  }

  /** Forgets what has ended. */
  clear(): void {
    const stays = this.list.filter(open)
    for (const { key } of this.list) if (!stays.some((one) => one.key === key)) this.files.delete(key)
    this.set(stays)
  }

  private next(): void {
    const busy = this.list.filter(({ state }) => state === 'sending' || state === 'paused').length
    for (const one of this.list.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, TOGETHER_MAX - busy))) void this.start(one)
  }

  private async start({ key, path }: Transfer): Promise<void> {
    const { file, mark, stop } = this.files.get(key)!
    this.change(key, { state: 'sending' })
    const progress: Progress = {
      sent: (sent) => this.change(key, { sent }),
      paused: (paused) => this.change(key, { state: paused ? 'paused' : 'sending' }),
      rest: this.rest,
    }
    try {
      await carry(file, this.lineTo(path, mark), progress, stop.signal)
      this.change(key, { state: 'done', sent: file.size })
      this.files.delete(key)
      this.arrived(path)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'cancelled') this.change(key, { state: 'cancelled' })
      else this.change(key, { state: 'failed', error: error instanceof Error ? error.message : String(error) })
    }
    this.next()
  }

  private change(key: number, to: Partial<Transfer>): void {
    const before = this.list.find((one) => one.key === key)
    if (before === undefined || Object.entries(to).every(([name, value]) => before[name as keyof Transfer] === value)) return
    this.set(this.list.map((one) => (one.key === key ? { ...one, ...to } : one)))
  }

  private set(list: readonly Transfer[]): void {
    this.list = list
    for (const listener of this.listeners) listener()
  }
}

export const open = ({ state }: Transfer): boolean => state === 'waiting' || state === 'sending' || state === 'paused'
