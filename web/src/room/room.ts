/** A notebook kept equal with the server: joins, sends numbered edits, counts what is not yet on disk, comes back. */
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { problemText } from '../i18n/problems'
import { checksum } from '../model/checksum'
import type { FromServer, NotebookId, Person, Role, ToServer } from '../model/wire'
import type { LocalCopy, Unsent } from './copy'
import { AWARENESS, awarenessFrame, decode, fromBase64, SYNC, toBase64, UPDATE, updateFrame } from './frames'
import { Link, type MakeSocket } from './link'
import { advance, missing, stranded } from './missing'
import type { SetAside } from './shelf'

export interface RoomState {
  readonly connection: 'connecting' | 'online' | 'offline' | 'ended'
  /** The document is here, from the server or from this browser's copy. */
  readonly ready: boolean
  readonly name: string
  /** The notebook that this one is a playground of. */
  readonly playgroundOf: NotebookId | null
  readonly role: Role | null
  readonly may: ReadonlySet<string>
  readonly user: Person | null
  /** Why the room closed for good, and what the server never got of it. */
  readonly ended: { readonly code: number; readonly reason: string; readonly kept?: SetAside | null } | null
  /** Since when the server does not answer; null while it does. */
  readonly since: number | null
  /** This browser holds edits apart that wait for the person to decide about them. */
  readonly aside: boolean
}

export interface RoomEvents {
  /** The document must be fetched anew; `kept` holds the edits that the server never got, if there were any. */
  replaced(why: 'differs' | SetAside['why'], kept: SetAside | null): void
  refused(reason: string): void
  /** The server cannot store what it was sent, for now; the edits wait here. */
  troubled(detail: string): void
  signedOut(): void
  /** Which build of the page the server hands out. */
  build(name: string): void
  /** This page and the server do not understand each other. */
  outdated(): void
}

export interface RoomOptions {
  readonly url: string
  readonly notebook: NotebookId
  /** Whose copy it is: what is in it is never handed over in somebody else's name. */
  readonly user?: string
  readonly copy: LocalCopy
  readonly events: RoomEvents
  readonly socket?: MakeSocket
}

const AWARENESS_EVERY_MS = 40
/** The server says something every 15 s; a line silent for longer than this is dead, though nobody said so. */
const SILENCE_MAX_MS = 40_000
const PROTOCOL = 1

export class Room {
  readonly doc = new Y.Doc()
  readonly awareness = new Awareness(this.doc)
  readonly state: StoreApi<RoomState> = createStore<RoomState>(() => ({
    connection: 'connecting', ready: false, name: '', playgroundOf: null, role: null, may: new Set<string>(), user: null, ended: null, since: null, aside: false,
  }))
  /** How many edits the server has not put on its disk yet. A store of its own: it changes with every key. */
  readonly unsaved: StoreApi<number> = createStore<number>(() => 0)
  /** Whether this browser keeps what is typed. */
  readonly keeps: StoreApi<boolean>
  private readonly link: Link
  private readonly listeners = new Set<(message: FromServer) => void>()
  private theirs = new Map<number, number>()
  /** Welcomed, and waiting for the frame with what this tab lacks. */
  private joining = false
  /** Counts connections: what was begun for one is not gone on with in another. */
  private turn = 0
  /** Edits go out as they are made. */
  private live = false
  private sent = 0
  private acked = 0
  /** What to do as the frames that were sent are acknowledged, one after the other. */
  private confirms: (() => void)[] = []
  /** The first frame carries so many edits more than one. */
  private extra = 0
  private seq = 0
  /** The copy's number of this tab's last edit. */
  private made = 0
  private offline = 0
  private aware: ReturnType<typeof setTimeout> | null = null
  private silence: ReturnType<typeof setTimeout> | null = null
  private closed = false
  private loaded: Promise<void> = Promise.resolve()

  constructor(private readonly options: RoomOptions) {
    this.keeps = options.copy.keeps
    this.link = new Link(
      options.url,
      {
        opened: () => void this.opened(),
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
  open(): void {
    const { copy } = this.options
    globalThis.addEventListener?.('online', this.hurry)
    globalThis.addEventListener?.('offline', this.doubt)
    copy.heard = (update) => this.overheard(update)
    this.loaded = copy.load(this.doc).then((unsent) => this.shelved(unsent))
    this.link.open()
  }

  /** Do not wait until the next try. */
  readonly hurry = (): void => this.link.hurry()

  /** The machine has lost its network. The server may be on it, so ask. */
  private readonly doubt = (): void => this.link.renew()

  private shelved(unsent: number): void {
    const { label, aside } = this.options.copy
    if (this.closed || !label) return this.set({ aside: aside > 0 })
    this.offline += unsent
    this.set({ ready: true, name: label.name, role: label.role, may: new Set(label.may), aside: aside > 0 })
    this.count()
  }

  close(): void {
    this.closed = true
    globalThis.removeEventListener?.('online', this.hurry)
    globalThis.removeEventListener?.('offline', this.doubt)
    for (const timer of [this.aware, this.silence]) if (timer !== null) clearTimeout(timer)
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
    return this.offline + this.sent - this.acked + (this.acked === 0 ? this.extra : 0)
  }

  private set(change: Partial<RoomState>): void {
    this.state.setState(change)
  }

  private count(): void {
    this.unsaved.setState(this.waiting, true)
  }

  private async opened(): Promise<void> {
    const turn = this.turn
    await this.loaded
    if (turn !== this.turn || this.closed) return
    const epoch = this.options.copy.label?.epoch ?? null
    const vector = epoch === null ? null : toBase64(Y.encodeStateVector(this.doc))
    this.send({ type: 'hello', protocol: PROTOCOL, client: this.doc.clientID, epoch, state_vector: vector })
  }

  private listenFor(): void {
    if (this.silence !== null) clearTimeout(this.silence)
    this.silence = setTimeout(() => this.link.renew(), SILENCE_MAX_MS)
  }

  private heard(message: FromServer): void {
    this.listenFor()
    switch (message.type) {
      case 'welcome':
        if (this.options.user !== undefined && message.user?.id !== this.options.user) return this.strange()
        if (message.build) this.options.events.build(message.build)
        if (message.reset) return void this.replace('epoch')
        this.options.copy.welcome({ epoch: message.epoch, name: message.notebook.name, role: message.role, may: message.may })
        this.theirs = Y.decodeStateVector(fromBase64(message.state_vector))
        this.seq = message.head
        this.joining = true
        this.set({ name: message.notebook.name, playgroundOf: message.notebook.playground_of ?? null, role: message.role, may: new Set(message.may), user: message.user })
        break
      case 'ack':
        for (const confirm of this.confirms.splice(0, message.n - this.acked)) confirm()
        this.acked = message.n
        this.seq = Math.max(this.seq, message.seq)
        this.count()
        break
      case 'reject':
        this.options.events.refused(message.reason)
        break
      case 'trouble':
        this.options.events.troubled(problemText(message) ?? message.detail)
        break
      case 'heartbeat':
        this.compare(message.seq, message.checksum)
        break
      case 'notebook':
        this.set({ name: message.name, playgroundOf: message.playground_of ?? null })
        break
      case 'role':
        this.set({ role: message.role, may: new Set(message.may) })
        if (this.options.copy.label) this.options.copy.welcome({ ...this.options.copy.label, role: message.role, may: message.may })
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
        this.take(frame.update)
        this.seq = Math.max(this.seq, frame.seq)
        break
      case AWARENESS:
        applyAwarenessUpdate(this.awareness, frame.update, this)
        break
      case SYNC:
        this.take(frame.update)
        if (this.joining) void this.joined()
        break
      default:
    }
  }

  private take(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, this)
    this.options.copy.received(update)
    if (!this.live) advance(this.theirs, update)
  }

  /** The tab has all that the server had; now the server gets what only this browser has. */
  private async joined(): Promise<void> {
    this.joining = false
    const turn = this.turn
    const unsent = await this.options.copy.unsent()
    if (turn !== this.turn || this.closed) return
    this.learn(unsent)
    this.set({ ready: true })
    const writes = this.state.getState().may.has('write')
    const waits = unsent.updates.length > 0 || this.offline > 0
    if (waits && !writes) return void this.replace('role')
    this.sent = this.acked = this.extra = 0
    this.confirms = []
    if (writes) this.handOver(unsent, waits)
    this.live = true
    this.offline = 0
    this.count()
    this.link.settled()
    this.set({ connection: 'online', since: null })
    this.announce()
  }

  private handOver(unsent: Unsent, waits: boolean): void {
    const clients = stranded(this.doc, this.theirs)
    // Deletions leave no trace in a state vector: they are only known of by what waits.
    if (!waits && clients.length === 0) return
    const others = clients.filter((client) => client !== this.doc.clientID)
    if (others.length > 0) this.send({ type: 'claim', clients: others })
    if (!this.link.send(updateFrame(1, missing(this.doc, this.theirs, clients)))) return
    this.sent = 1
    this.extra = Math.max(0, this.offline - 1)
    const { clientID } = this.doc
    const made = this.made
    this.confirms.push(() => {
      unsent.confirm()
      if (made > 0) this.options.copy.confirmed(clientID, made)
    })
  }

  private learn({ updates }: Unsent): void {
    for (const update of updates) Y.applyUpdate(this.doc, update, this.options.copy.origin)
  }

  /** Another tab of this browser typed something. While the server answers, it comes from there. */
  private overheard(update: Uint8Array): void {
    if (this.live) return
    Y.applyUpdate(this.doc, update, this.options.copy.origin)
    this.offline++
    this.count()
  }

  /** Other tabs may have typed while this one was still connected. */
  private async lookAround(): Promise<void> {
    const turn = this.turn
    const unsent = await this.options.copy.unsent()
    if (turn !== this.turn || this.live || this.closed) return
    this.learn(unsent)
    this.offline = Math.max(this.offline, unsent.updates.length)
    this.count()
  }

  private readonly edited = (update: Uint8Array, origin: unknown): void => {
    if (origin === this || (origin !== null && origin === this.options.copy.origin)) return
    // One transaction, one frame. (Merging updates would drop the keys of map entries, which the server checks.)
    const { clientID } = this.doc
    const n = (this.made = this.options.copy.made(clientID, update))
    if (this.live && this.link.send(updateFrame(this.sent + 1, update))) {
      this.sent++
      this.confirms.push(() => this.options.copy.confirmed(clientID, n))
    } else this.offline++
    this.count()
  }

  private lost(code: number, reason: string): 'again' | 'later' | 'never' {
    this.offline = this.waiting
    this.sent = this.acked = this.extra = 0
    this.confirms = []
    this.live = this.joining = false
    this.turn++
    if (this.state.getState().since === null) this.set({ since: Date.now() })
    void this.lookAround()
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.doc.clientID)
    removeAwarenessStates(this.awareness, others, this)
    switch (code) {
      case 4400:
        this.set({ connection: 'ended', ended: { code, reason } })
        return 'never'
      case 4404:
        void this.end(code, reason)
        return 'never'
      case 4426:
        this.set({ connection: 'offline' })
        this.options.events.outdated()
        return 'later'
      case 4401:
        this.set({ connection: 'ended', ended: { code, reason } })
        this.options.events.signedOut()
        return 'never'
      case 4409: case 1009:
        void this.replace('refused')
        return 'never'
      case 4429:
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
    void this.replace('differs')
  }

  /** Start again from nothing; what the server never got is kept apart for the person. */
  private async replace(why: 'differs' | SetAside['why']): Promise<void> {
    const mine = this.waiting > 0
    this.live = false
    this.link.close()
    const kept = await this.options.copy.setAside(this.doc, why === 'differs' ? 'refused' : why, mine)
    if (!this.closed) this.options.events.replaced(why, kept)
  }

  /** Somebody else has signed in in this browser. */
  private strange(): void {
    this.link.close()
    this.set({ connection: 'ended', ended: { code: 4401, reason: '' } })
    this.options.events.signedOut()
  }

  /** The notebook is not there any more, or not for this person. */
  private async end(code: number, reason: string): Promise<void> {
    const kept = await this.options.copy.setAside(this.doc, 'gone', this.waiting > 0)
    this.set({ connection: 'ended', ended: { code, reason, kept }, aside: kept !== null || this.options.copy.aside > 0 })
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
