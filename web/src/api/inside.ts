/** What lies inside a runtime: its files, its terminals, the ports that listen there. */
import { address, ApiError, ask, request } from './client'

export type RuntimeId = string
export type EntryKind = 'file' | 'directory' | 'link' | 'other'
export interface Entry {
  readonly name: string
  readonly kind: EntryKind
  readonly size: number
  readonly modified_ms: number
}
export interface Folder {
  readonly path: string
  readonly entries: readonly Entry[]
  /** There are more than the server lists. */
  readonly truncated: boolean
}
export interface TerminalName {
  readonly name: string
  readonly title?: string | null
}
export interface Port {
  readonly port: number
  readonly process?: string | null
}

/** A file's first bytes, or all of them. */
export interface Content {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly total: number
  /** Names this state of the file, to be handed back when it is replaced. */
  readonly etag: string | null
}

const at = (runtime: RuntimeId, rest: string) => `/runtimes/${encodeURIComponent(runtime)}${rest}`

export const inside = {
  list: (runtime: RuntimeId, path: string) => ask<Folder>('GET', at(runtime, '/files'), { query: { path } }),
  make: (runtime: RuntimeId, path: string, kind: 'file' | 'directory') => ask<unknown>('POST', at(runtime, '/files'), { json: { path, kind } }),
  move: (runtime: RuntimeId, path: string, to: string) => ask<unknown>('PATCH', at(runtime, '/files'), { json: { path, to } }),
  remove: (runtime: RuntimeId, path: string) => ask<void>('DELETE', at(runtime, '/files'), { query: { path } }),

  terminals: (runtime: RuntimeId) => ask<readonly TerminalName[]>('GET', at(runtime, '/terminals')),
  openTerminal: (runtime: RuntimeId) => ask<TerminalName>('POST', at(runtime, '/terminals')),
  closeTerminal: (runtime: RuntimeId, name: string) => ask<void>('DELETE', at(runtime, `/terminals/${encodeURIComponent(name)}`)),

  ports: (runtime: RuntimeId) => ask<readonly Port[]>('GET', at(runtime, '/ports')),
  /** An address that this browser may open once, on an origin that is not this page's. */
  openPort: (runtime: RuntimeId, port: number) => ask<{ readonly url: string }>('POST', at(runtime, `/ports/${port}`)),

  /** How much of an upload that was cut off has arrived; `mark` tells two of one path apart. */
  received: async (runtime: RuntimeId, path: string, mark: string, signal?: AbortSignal) =>
    (await ask<{ readonly received: number }>('GET', at(runtime, '/files/upload'), { query: { path, mark }, signal })).received,
  /** The next piece of a file; it appears in its place when the last one is there. Gives how much has arrived. */
  send: async (runtime: RuntimeId, path: string, mark: string, offset: number, total: number, piece: Blob, signal?: AbortSignal) =>
    (await ask<{ readonly received: number }>('PUT', at(runtime, '/files/upload'), { query: { path, mark, offset: String(offset), total: String(total) }, body: piece, headers: BYTES, signal })).received,

  read,
  /** Puts a whole file there; with `etag`, only over that state of it. Gives the new state's. */
  write: async (runtime: RuntimeId, path: string, content: Blob, etag: string | null) =>
    (await ask<{ readonly etag: string }>('PUT', at(runtime, '/files/content'), { query: { path }, body: content, headers: { ...BYTES, ...(etag !== null && { 'if-match': etag }) } })).etag,
} as const

const BYTES = { 'content-type': 'application/octet-stream' } as const

/** Where the browser itself may fetch a file. */
export function contentAddress(runtime: RuntimeId, path: string, download = false): string {
  return address(at(runtime, '/files/content'), { path, download: download ? '1' : null })
}

/** Where a terminal's WebSocket is, without the place to begin at. */
export function terminalAddress(runtime: RuntimeId, name: string): string {
  const here = new URL(address(at(runtime, `/terminals/${encodeURIComponent(name)}/socket`)), location.href)
  here.protocol = here.protocol === 'https:' ? 'wss:' : 'ws:'
  return here.href
}

async function read(runtime: RuntimeId, path: string, most: number, signal?: AbortSignal): Promise<Content> {
  let answer: Response
  try {
    answer = await request('GET', at(runtime, '/files/content'), { query: { path }, headers: { accept: '*/*', range: `bytes=0-${most - 1}` }, signal })
  } catch (error) {
    // An empty file has no first byte.
    if (error instanceof ApiError && error.status === 416) return { bytes: new Uint8Array(), total: 0, etag: null }
    throw error
  }
  const bytes = await upTo(answer, most)
  const said = Number(/\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? answer.headers.get('content-length') ?? bytes.length)
  return { bytes, total: Math.max(bytes.length, Number.isFinite(said) ? said : 0), etag: answer.headers.get('etag') }
}

/** No more than was asked for is ever kept, whatever is sent. */
async function upTo(answer: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let left = most
  const reader = answer.body?.getReader()
  while (reader && left > 0) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value.subarray(0, left))
    left -= Math.min(left, value.length)
  }
  if (left === 0) await reader?.cancel()
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer())
}
