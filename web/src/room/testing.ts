/** A server in memory that speaks the document part of the protocol, for tests. */
import * as Y from 'yjs'
import { checksum } from '../model/checksum'
import type { CellMap } from '../model/notebook'
import type { ToServer } from '../model/wire'
import { type LocalCopy, merged, NOTHING_UNSENT, type Unsent } from './copy'
import { AWARENESS, fromBase64, SYNC, toBase64, UPDATE } from './frames'
import type { MakeSocket, Socket } from './link'
import type { Label, SetAside } from './shelf'
import { createStore } from 'zustand/vanilla'

export class FakeSocket implements Socket {
  binaryType = 'blob'
  readyState = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  clients = new Set<number>()

  constructor(
    private readonly server: FakeServer,
    network: Network,
  ) {
    queueMicrotask(() => {
      if (server.down || !network.up) return this.drop(1006)
      network.sockets.add(this)
      this.readyState = 1
      if (server.gone) return this.drop(4404)
      server.sockets.add(this)
      this.onopen?.({} as never)
    })
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    // What was sent before a polite close still arrives.
    if (this.readyState === 1) queueMicrotask(() => this.server.received(this, data))
  }

  close(code = 1000): void {
    this.drop(code)
  }

  drop(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.server.sockets.delete(this)
    queueMicrotask(() => this.onclose?.({ code, reason: '' } as never))
  }

  text(message: object): void {
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data: JSON.stringify(message) } as never))
  }

  bytes(kind: number, head: Uint8Array, body: Uint8Array): void {
    const frame = new Uint8Array([kind, ...head, ...body])
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data: frame.buffer } as never))
  }
}

/** What stands between one browser and the server. */
export class Network {
  up = true
  readonly sockets = new Set<FakeSocket>()

  cut(): void {
    this.up = false
    for (const socket of this.sockets) socket.drop(1006)
    this.sockets.clear()
  }
}

export class FakeServer {
  doc = new Y.Doc()
  epoch = 'first'
  seq = 1
  down = false
  /** Commits wait until `commit` is called. */
  slow = false
  refuses = false
  gone = false
  may: readonly string[] = ['read', 'write', 'run']
  readonly sockets = new Set<FakeSocket>()
  readonly heard: ToServer[] = []
  readonly rejected: string[] = []
  private readonly uncommitted: (() => void)[] = []

  readonly make: MakeSocket = () => new FakeSocket(this, new Network())

  /** The way here through a network of one's own. */
  through(network: Network): MakeSocket {
    return () => new FakeSocket(this, network)
  }

  addCell(id: string, source: string, pos: string, type = 'code'): void {
    const cell: CellMap = new Y.Map<unknown>([['t', type], ['pos', pos], ['source', new Y.Text(source)], ['md', new Y.Map()], ['att', new Y.Map()], ['del', null]])
    this.doc.getMap<CellMap>('cells').set(id, cell)
  }

  source(id: string): string {
    return String(this.doc.getMap<CellMap>('cells').get(id)?.get('source'))
  }

  commit(): void {
    for (const done of this.uncommitted.splice(0)) done()
  }

  crash(): void {
    this.down = true
    for (const socket of [...this.sockets]) socket.drop(1006)
  }

  tell(message: object): void {
    for (const socket of this.sockets) socket.text(message)
  }

  heartbeat(sum = checksum(this.doc)): void {
    this.tell({ type: 'heartbeat', seq: this.seq, checksum: sum })
  }

  received(socket: FakeSocket, data: string | Uint8Array<ArrayBuffer>): void {
    if (typeof data !== 'string') return this.frame(socket, data)
    const message = JSON.parse(data) as ToServer
    this.heard.push(message)
    if (message.type === 'claim') for (const client of message.clients) socket.clients.add(client)
    if (message.type !== 'hello') return
    socket.clients.add(message.client)
    const reset = message.epoch !== null && message.epoch !== this.epoch
    socket.text({
      type: 'welcome', client: message.client, role: 'editor', may: this.may, notebook: { id: 'n', name: 'Test.ipynb' }, user: { id: 'u', name: 'Ada', email: 'ada@x', color: '#3355dd' },
      epoch: this.epoch, head: this.seq, state_vector: toBase64(Y.encodeStateVector(this.doc)), reset,
    })
    const known = message.state_vector !== null && !reset ? fromBase64(message.state_vector) : undefined
    socket.bytes(SYNC, new Uint8Array(), Y.encodeStateAsUpdate(this.doc, known))
  }

  private frame(socket: FakeSocket, data: Uint8Array): void {
    const view = new DataView(data.buffer, data.byteOffset)
    if (data[0] === AWARENESS) {
      for (const other of this.sockets) if (other !== socket) other.bytes(AWARENESS, new Uint8Array(), data.slice(1))
      return
    }
    if (data[0] !== UPDATE) return
    const handle = () => this.commitUpdate(socket, view.getUint32(1), data.slice(5))
    if (this.slow) this.uncommitted.push(handle)
    else handle()
  }

  private commitUpdate(socket: FakeSocket, n: number, update: Uint8Array): void {
    const { from, to } = Y.parseUpdateMeta(update)
    const held = Y.decodeStateVector(Y.encodeStateVector(this.doc))
    const gap = [...from].some(([client, clock]) => clock > (held.get(client) ?? 0))
    if (gap || [...to.keys()].some((author) => !socket.clients.has(author)) || !this.may.includes('write') || this.refuses) {
      this.rejected.push(`${[...to.keys()]} by ${[...socket.clients]}`)
      socket.drop(4409)
      return
    }
    Y.applyUpdate(this.doc, update)
    const seq = ++this.seq
    socket.text({ type: 'ack', n, seq })
    const head = new Uint8Array(8)
    new DataView(head.buffer).setBigUint64(0, BigInt(seq))
    for (const other of this.sockets) if (other !== socket) other.bytes(UPDATE, head, update)
  }
}

/** What a browser keeps, in memory: it outlives the tabs, and they share it. */
export class Browser {
  label: Label | null = null
  log: Uint8Array[] = []
  unsent = new Map<string, Uint8Array>()
  readonly aside: SetAside[] = []
  readonly tabs = new Set<MemoryCopy>()
}

/** One tab's hold on it. */
export class MemoryCopy implements LocalCopy {
  label: Label | null = null
  heard: ((update: Uint8Array) => void) | null = null
  readonly origin = this
  readonly keeps = createStore<boolean>(() => true)
  private count = 0

  constructor(readonly browser: Browser = new Browser()) {
    browser.tabs.add(this)
  }

  get aside(): number {
    return this.browser.aside.length
  }

  async load(doc: Y.Doc): Promise<number> {
    await Promise.resolve()
    if (!this.browser.label) return 0
    this.label = this.browser.label
    for (const update of [...this.browser.log, ...this.browser.unsent.values()]) Y.applyUpdate(doc, update, this)
    return this.browser.unsent.size
  }

  welcome(label: Label): void {
    this.label = this.browser.label = label
  }

  received(update: Uint8Array): void {
    this.browser.log.push(update)
  }

  made(client: number, update: Uint8Array): number {
    this.browser.unsent.set(`${client}/${++this.count}`, update)
    for (const tab of this.browser.tabs) if (tab !== this && tab.label?.epoch === this.label?.epoch) queueMicrotask(() => tab.heard?.(update))
    return this.count
  }

  confirmed(client: number, n: number): void {
    this.move([...this.browser.unsent.keys()].filter((key) => key.startsWith(`${client}/`) && Number(key.split('/')[1]) <= n))
  }

  async unsent(): Promise<Unsent> {
    if (!this.label) return NOTHING_UNSENT
    const keys = [...this.browser.unsent.keys()]
    return { updates: keys.map((key) => this.browser.unsent.get(key)!), confirm: () => this.move(keys) }
  }

  async setAside(doc: Y.Doc, why: SetAside['why']): Promise<SetAside | null> {
    const { browser, label } = this
    this.label = null
    if (!label || browser.unsent.size === 0) return null
    for (const update of browser.unsent.values()) Y.applyUpdate(doc, update, this)
    const kept: SetAside = { id: 'n/1', notebook: 'n', name: label.name, at: 1, why, edits: browser.unsent.size, base: merged(browser.log), ours: Y.encodeStateAsUpdate(doc) }
    browser.aside.push(kept)
    browser.label = null
    browser.log = []
    browser.unsent.clear()
    return kept
  }

  close(): void {
    this.heard = null
    this.browser.tabs.delete(this)
  }

  private move(keys: readonly string[]): void {
    for (const key of keys) {
      const update = this.browser.unsent.get(key)
      if (update) this.browser.log.push(update)
      this.browser.unsent.delete(key)
    }
  }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return
    await new Promise((next) => setTimeout(next, 5))
  }
  throw new Error(`never: ${condition}`)
}
