/** A notebook kept equal with the server: joins, sends numbered edits, counts what is not yet on disk, comes back. */
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { checksum } from '../model/checksum'
import type { FromServer, NotebookId, Person, Role, ToServer } from '../model/wire'
import { hold, unlessHeld } from './claims'
import type { LocalCopy } from './copy'
import { deliver } from './courier'
import { AWARENESS, awarenessFrame, decode, fromBase64, SYNC, toBase64, UPDATE, updateFrame } from './frames'
import { Link, type MakeSocket } from './link'
import { missing, missingWithDeletions, stranded } from './missing'

export interface RoomState {
  readonly connection: 'connecting' | 'online' | 'offline' | 'ended'
  /** The document is here, from the server or from this browser's copy. */
  readonly ready: boolean
  readonly name: string
  readonly role: Role | null
  readonly may: ReadonlySet<string>
  readonly user: Person | null
  /** Why the room closed for good. */
  readonly ended: { readonly code: number; readonly reason: string } | null
}

export interface RoomEvents {
  /** The document was replaced; `kept` is the old one when it held text that the server never got. */
  replaced(why: string, kept: Y.Doc | null): void
  refused(reason: string): void
  /** The server cannot store what it was sent, for now; the edits wait here. */
  troubled(detail: string): void
  signedOut(): void
}

export interface RoomOptions {
  readonly url: string
  readonly notebook: NotebookId
  readonly copy: LocalCopy
  readonly events: RoomEvents
  readonly socket?: MakeSocket
}

const AWARENESS_EVERY_MS = 40
const CLEAN_AFTER_MS = 1000
/** The server says something every 15 s; a line silent for longer than this is dead, though nobody said so. */
const SILENCE_MAX_MS = 40_000
const PROTOCOL = 1

export class Room {
  readonly doc = new Y.Doc()
  readonly awareness = new Awareness(this.doc)
  readonly state: StoreApi<RoomState> = createStore<RoomState>(() => ({
    connection: 'connecting', ready: false, name: '', role: null, may: new Set<string>(), user: null, ended: null,
  }))
  /** How many edits the server has not put on its disk yet. A store of its own: it changes with every key. */
  readonly unsaved: StoreApi<number> = createStore<number>(() => 0)
  private readonly link: Link
  private readonly listeners = new Set<(message: FromServer) => void>()
  private theirs = new Map<number, number>()
  /** Welcomed, and waiting for the frame with what this tab lacks. */
  private joining = false
  /** Edits go out as they are made. */
  private live = false
  private sent = 0
  private acked = 0
  private seq = 0
  private offline = 0
  private aware: ReturnType<typeof setTimeout> | null = null
  private clean: ReturnType<typeof setTimeout> | null = null
  private silence: ReturnType<typeof setTimeout> | null = null
  private closed = false
  private readonly release = hold(this.doc.clientID)

  constructor(private readonly options: RoomOptions) {
    this.link = new Link(
      options.url,
      {
        opened: () => this.hello(),
        text: (message) => this.heard(message as FromServer),
        bytes: (bytes) => this.received(bytes),
        closed: (code, reason) => this.lost(code, reason),
      },
      options.socket,
    )
    this.doc.on('update', this.edited)
    this.awareness.on('update', this.moved)
  }

  /** Show what this browser kept, and join the others. */
  async open(): Promise<void> {
    globalThis.addEventListener?.('online', this.link.hurry)
    const known = this.options.copy.epoch !== null
    if (known) {
      await this.options.copy.load(this.doc)
      if (this.closed) return
      if (this.options.copy.dirty) this.offline = 1
      this.set({ ready: this.doc.getMap('cells').size > 0 })
      this.unsaved.setState(this.waiting, true)
    }
    this.link.open()
  }

  close(): void {
    this.closed = true
    this.release()
    globalThis.removeEventListener?.('online', this.link.hurry)
    for (const timer of [this.aware, this.clean, this.silence]) if (timer !== null) clearTimeout(timer)
    this.link.close()
    this.awareness.destroy()
    this.options.copy.close()
    this.doc.destroy()
  }

  send(message: ToServer): boolean {
    return this.link.send(JSON.stringify(message))
  }

  /** Hear every text frame. */
  listen(listener: (message: FromServer) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private get waiting(): number {
    return this.offline + this.sent - this.acked
  }

  private set(change: Partial<RoomState>): void {
    this.state.setState(change)
  }

  private count(): void {
    const waiting = this.waiting
    this.unsaved.setState(waiting, true)
    if (this.clean !== null) clearTimeout(this.clean)
    this.clean = null
    if (waiting > 0) this.options.copy.mark(true)
    else this.clean = setTimeout(() => this.options.copy.mark(false), CLEAN_AFTER_MS)
  }

  private hello(): void {
    const { copy } = this.options
    const vector = copy.epoch === null ? null : toBase64(Y.encodeStateVector(this.doc))
    this.send({ type: 'hello', protocol: PROTOCOL, client: this.doc.clientID, epoch: copy.epoch, state_vector: vector })
  }

  private listenFor(): void {
    if (this.silence !== null) clearTimeout(this.silence)
    this.silence = setTimeout(() => this.link.renew(), SILENCE_MAX_MS)
  }

  private heard(message: FromServer): void {
    this.listenFor()
    switch (message.type) {
      case 'welcome':
        if (message.reset && this.options.copy.epoch !== null) return this.replace('The notebook was replaced on the server.')
        this.options.copy.belongs(this.doc, message.epoch)
        this.theirs = Y.decodeStateVector(fromBase64(message.state_vector))
        this.seq = message.head
        this.joining = true
        this.set({ name: message.notebook.name, role: message.role, may: new Set(message.may), user: message.user })
        break
      case 'ack':
        this.acked = message.n
        this.seq = Math.max(this.seq, message.seq)
        this.count()
        break
      case 'reject':
        this.options.events.refused(message.reason)
        break
      case 'trouble':
        this.options.events.troubled(message.detail)
        break
      case 'heartbeat':
        this.compare(message.seq, message.checksum)
        break
      case 'notebook':
        this.set({ name: message.name })
        break
      case 'role':
        this.set({ role: message.role, may: new Set(message.may) })
        break
      default:
    }
    for (const listener of this.listeners) listener(message)
  }

  private received(bytes: Uint8Array): void {
    this.listenFor()
    const frame = decode(bytes)
    switch (frame?.kind) {
      case UPDATE:
        Y.applyUpdate(this.doc, frame.update, this)
        this.seq = Math.max(this.seq, frame.seq)
        break
      case AWARENESS:
        applyAwarenessUpdate(this.awareness, frame.update, this)
        break
      case SYNC:
        Y.applyUpdate(this.doc, frame.update, this)
        if (this.joining) void this.joined()
        break
      default:
    }
  }

  /** The tab has all that the server had; now the server gets what it lacks, oldest authors first. */
  private async joined(): Promise<void> {
    this.joining = false
    const client = this.doc.clientID
    const theirs = this.theirs
    const writes = this.state.getState().may.has('write')
    this.set({ ready: true })
    if (writes) {
      for (const other of stranded(this.doc, theirs, client)) {
        const update = missingWithDeletions(this.doc, theirs, other)
        const hello = { client: other, epoch: this.options.copy.epoch, vector: toBase64(Y.encodeStateVector(this.doc)) }
        const delivered = await unlessHeld(other, () => deliver(this.options.url, hello, update, this.options.socket))
        if (!delivered) return this.replace('Some old edits of this browser could not be merged.')
        if (this.closed || this.theirs !== theirs) return
      }
    }
    this.sent = 0
    this.acked = 0
    this.live = true
    const update = !writes ? null : this.offline > 0 ? missingWithDeletions(this.doc, theirs, client) : missing(this.doc, theirs, client)
    if (update && this.link.send(updateFrame(1, update))) this.sent = 1
    this.offline = 0
    this.count()
    this.link.settled()
    this.set({ connection: 'online' })
    this.announce()
  }

  private readonly edited = (update: Uint8Array, origin: unknown): void => {
    if (origin === this || (origin !== null && origin === this.options.copy.origin)) return
    // One transaction, one frame. (Merging updates would drop the keys of map entries, which the server checks.)
    if (this.live && this.link.send(updateFrame(this.sent + 1, update))) this.sent++
    else this.offline++
    this.count()
  }

  private lost(code: number, reason: string): 'again' | 'later' | 'never' {
    this.offline = this.waiting
    this.sent = this.acked = 0
    this.live = this.joining = false
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.doc.clientID)
    removeAwarenessStates(this.awareness, others, this)
    switch (code) {
      case 4400: case 4404: case 1009:
        this.set({ connection: 'ended', ended: { code, reason } })
        return 'never'
      case 4401:
        this.set({ connection: 'ended', ended: { code, reason } })
        this.options.events.signedOut()
        return 'never'
      case 4409:
        this.replace('An edit of this browser was refused.')
        return 'never'
      case 4403: case 4429:
        this.set({ connection: 'offline' })
        return 'later'
      default:
        this.set({ connection: 'offline' })
        return 'again'
    }
  }

  private compare(seq: number, theirs: string): void {
    if (!this.live || seq !== this.seq || this.waiting > 0) return
    const mine = checksum(this.doc)
    if (mine === theirs) return
    this.send({ type: 'diverged', seq, checksum: mine })
    this.replace('This copy differed from the server’s and was fetched again.')
  }

  /** Start again from nothing. What the server never got is handed to the page for the person to keep. */
  private replace(why: string): void {
    const kept = this.offline > 0 || this.waiting > 0 ? this.doc : null
    this.live = false
    this.link.close()
    void this.options.copy.forget().then(() => this.options.events.replaced(why, kept))
  }

  private readonly moved = ({ added, updated, removed }: { added: number[]; updated: number[]; removed: number[] }): void => {
    const own = [...added, ...updated, ...removed].includes(this.doc.clientID)
    if (own && this.live) this.aware ??= setTimeout(() => this.announce(), AWARENESS_EVERY_MS)
  }

  private announce(): void {
    if (this.aware !== null) clearTimeout(this.aware)
    this.aware = null
    if (this.awareness.getLocalState() === null) return
    this.link.send(awarenessFrame(encodeAwarenessUpdate(this.awareness, [this.doc.clientID])))
  }
}
