/** The copy of a notebook that this browser keeps, so that nothing typed without a network is lost with the tab. */
import * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { NotebookId } from '../model/wire'
import { ASIDE, asked, below, done, type Entry, type Label, LOG, NOTEBOOKS, openShelf, type SetAside, UNSENT, type UnsentKey } from './shelf'

/** Edits that the server is not known to have, by every tab of this browser. */
export interface Unsent {
  readonly updates: readonly Uint8Array[]
  /** The server has them now. */
  confirm(): void
}

export interface LocalCopy {
  /** What is kept; null: nothing yet. Known once `load` has resolved. */
  readonly label: Label | null
  /** Edits of this notebook that wait for a person to decide about them. */
  readonly aside: number
  /** False: this browser cannot keep what is typed. */
  readonly keeps: StoreApi<boolean>
  /** The origin of updates that come from the copy. */
  readonly origin: unknown
  /** What another tab of this browser typed. */
  heard: ((update: Uint8Array) => void) | null
  /** Fill the document with what is kept; gives how many of its edits the server is not known to have. */
  load(doc: Y.Doc): Promise<number>
  /** From now on this is what is kept. */
  welcome(label: Label): void
  /** The server has this. */
  received(update: Uint8Array): void
  /** A tab made an edit; gives its number for `confirmed`. */
  made(client: number, update: Uint8Array): number
  /** The server has the edits of this tab up to this number. */
  confirmed(client: number, n: number): void
  unsent(): Promise<Unsent>
  /** Keep the edits that the server will not have apart, and forget the rest. Null: there were none. `mine`: this tab has some. */
  setAside(doc: Y.Doc, why: SetAside['why'], mine: boolean): Promise<SetAside | null>
  close(): void
}

export const NOTHING_UNSENT: Unsent = { updates: [], confirm: () => undefined }

const PATIENCE_MS = 5000
const FLUSH_EVERY_MS = 500
const PIECES_MAX = 150

export class BrowserCopy implements LocalCopy {
  label: Label | null = null
  aside = 0
  heard: ((update: Uint8Array) => void) | null = null
  readonly keeps = createStore<boolean>(() => true)
  readonly origin = this
  private readonly shelf: Promise<IDBDatabase>
  private readonly channel: BroadcastChannel | null
  private readonly confirmations = new Map<number, number>()
  private pieces: Uint8Array[] = []
  private count = 0
  private written = 0
  private timer: ReturnType<typeof setTimeout> | null = null
  private opened = false
  private closed = false

  constructor(user: string, private readonly notebook: NotebookId) {
    this.shelf = openShelf(user)
    this.shelf.catch(() => this.keeps.setState(false, true))
    this.channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(`collegium/${user}/${notebook}`) : null
    if (this.channel) {
      this.channel.onmessage = ({ data }: MessageEvent<{ epoch: string; update: Uint8Array }>) => {
        if (data.epoch === this.label?.epoch) this.heard?.(data.update)
      }
    }
    globalThis.addEventListener?.('pagehide', this.flush)
  }

  /** A shelf that does not open in time is as good as none: the page does not wait for it, and leaves it as it is. */
  load(doc: Y.Doc): Promise<number> {
    const patience = new Promise<number>((over) => setTimeout(() => over(0), PATIENCE_MS))
    const loaded = this.loadNow(doc).catch(() => this.broken(0))
    return Promise.race([loaded.finally(() => (this.opened = true)), patience.then(() => (this.opened ? 0 : this.broken(0)))])
  }

  private async loadNow(doc: Y.Doc): Promise<number> {
    const shelf = await this.shelf
    const work = shelf.transaction([NOTEBOOKS, LOG, UNSENT, ASIDE], 'readonly')
    const [entry, aside] = await Promise.all([
      asked(work.objectStore(NOTEBOOKS).get(this.notebook)) as Promise<Entry | undefined>,
      asked(work.objectStore(ASIDE).count(IDBKeyRange.bound(`${this.notebook}/`, `${this.notebook}/\uffff`))),
    ])
    this.aside = aside
    if (!entry) return 0
    const range = below(this.notebook, entry.epoch)
    const [log, unsent] = await Promise.all([asked(work.objectStore(LOG).getAll(range)) as Promise<Uint8Array[][]>, asked(work.objectStore(UNSENT).getAll(range)) as Promise<Uint8Array[]>])
    if (this.closed || !this.keeps.getState()) return 0
    Y.transact(doc, () => {
      for (const update of [...log.flat(), ...unsent]) Y.applyUpdate(doc, update, this.origin)
    }, this.origin)
    this.label = entry
    this.written = log.length
    // Who waits draws what was read: in a task of its own, or both together keep the page busy for twice as long.
    await new Promise((next) => setTimeout(next))
    return unsent.length
  }

  welcome({ epoch, name, role, may }: Label): void {
    this.label = { epoch, name, role, may }
    const entry: Entry = { epoch, name, role, may, notebook: this.notebook, opened: Date.now() }
    void this.write([NOTEBOOKS], (work) => work.objectStore(NOTEBOOKS).put(entry))
  }

  received(update: Uint8Array): void {
    this.pieces.push(update)
    // A name without a document would open as an empty one.
    if (this.written === 0) this.flush()
    else this.later()
  }

  made(client: number, update: Uint8Array): number {
    const n = ++this.count
    if (!this.label) return n
    const key: UnsentKey = [this.notebook, this.label.epoch, client, n]
    void this.write([UNSENT], (work) => {
      work.objectStore(UNSENT).put(update, key as unknown as IDBValidKey)
      // Not when its turn comes: the tab may be closed with the next key.
      work.commit()
    })
    this.channel?.postMessage({ epoch: this.label.epoch, update })
    return n
  }

  confirmed(client: number, n: number): void {
    this.confirmations.set(client, n)
    this.later()
  }

  async unsent(): Promise<Unsent> {
    const epoch = this.label?.epoch
    if (epoch === undefined || !this.keeps.getState()) return NOTHING_UNSENT
    try {
      const store = (await this.shelf).transaction([UNSENT], 'readonly').objectStore(UNSENT)
      const range = below(this.notebook, epoch)
      const [keys, updates] = await Promise.all([asked(store.getAllKeys(range)), asked(store.getAll(range)) as Promise<Uint8Array[]>])
      return { updates, confirm: () => void this.write([UNSENT, LOG], (work) => this.move(work, epoch, keys, updates)) }
    } catch {
      return this.broken(NOTHING_UNSENT)
    }
  }

  async setAside(doc: Y.Doc, why: SetAside['why'], mine: boolean): Promise<SetAside | null> {
    const label = this.label
    this.label = null
    this.stop()
    if (!label) return null
    const at = Date.now()
    const record = (edits: number, base: Uint8Array): SetAside => ({ id: `${this.notebook}/${at}-${doc.clientID}`, notebook: this.notebook, name: label.name, at, why, edits, base, ours: Y.encodeStateAsUpdate(doc) })
    if (!this.keeps.getState()) return mine ? record(1, emptyUpdate()) : null
    try {
      const work = (await this.shelf).transaction([NOTEBOOKS, LOG, UNSENT, ASIDE], 'readwrite')
      const finished = done(work)
      const range = below(this.notebook, label.epoch)
      const [log, unsent] = await Promise.all([asked(work.objectStore(LOG).getAll(range)) as Promise<Uint8Array[][]>, asked(work.objectStore(UNSENT).getAll(range)) as Promise<Uint8Array[]>])
      // Another tab may have set them aside already; what is not among them now, it took.
      const kept = unsent.length > 0 ? this.both(doc, unsent, log.flat(), record) : null
      if (kept) work.objectStore(ASIDE).put(kept)
      for (const store of [LOG, UNSENT]) work.objectStore(store).delete(range)
      const entry = (await asked(work.objectStore(NOTEBOOKS).get(this.notebook))) as Entry | undefined
      if (entry?.epoch === label.epoch) work.objectStore(NOTEBOOKS).delete(this.notebook)
      await finished
      return kept
    } catch {
      return this.broken(mine ? record(1, emptyUpdate()) : null)
    }
  }

  private both(doc: Y.Doc, unsent: readonly Uint8Array[], log: readonly Uint8Array[], record: (edits: number, base: Uint8Array) => SetAside): SetAside {
    for (const update of unsent) Y.applyUpdate(doc, update, this.origin)
    return record(unsent.length, merged(log))
  }

  close(): void {
    this.flush()
    this.closed = true
    this.stop()
    void this.shelf.then((shelf) => shelf.close(), () => undefined)
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.heard = null
    this.channel?.close()
    globalThis.removeEventListener?.('pagehide', this.flush)
  }

  private later(): void {
    if (!this.closed) this.timer ??= setTimeout(this.flush, FLUSH_EVERY_MS)
  }

  private readonly flush = (): void => {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    const { label } = this
    const pieces = this.pieces.splice(0)
    const confirmed = [...this.confirmations]
    this.confirmations.clear()
    if (!label || (pieces.length === 0 && confirmed.length === 0)) return
    void this.write([LOG, UNSENT], (work) => {
      if (pieces.length > 0) this.log(work, label.epoch, pieces)
      for (const [client, n] of confirmed) this.confirmUpTo(work, label.epoch, client, n)
    }).then(() => (this.written > PIECES_MAX ? this.compact(label.epoch) : undefined))
  }

  private confirmUpTo(work: IDBTransaction, epoch: string, client: number, n: number): void {
    const store = work.objectStore(UNSENT)
    const range = IDBKeyRange.bound([this.notebook, epoch, client, 0], [this.notebook, epoch, client, n])
    const keys = store.getAllKeys(range)
    const updates = store.getAll(range) as IDBRequest<Uint8Array[]>
    updates.onsuccess = () => this.move(work, epoch, keys.result, updates.result)
  }

  private move(work: IDBTransaction, epoch: string, keys: readonly IDBValidKey[], updates: readonly Uint8Array[]): void {
    if (updates.length > 0) this.log(work, epoch, updates)
    for (const key of keys) work.objectStore(UNSENT).delete(key)
  }

  private log(work: IDBTransaction, epoch: string, updates: readonly Uint8Array[]): void {
    this.written++
    work.objectStore(LOG).put(updates, [this.notebook, epoch, Date.now(), Math.random()])
  }

  /** Make one piece of many. */
  private async compact(epoch: string): Promise<void> {
    this.written = 0
    await this.write([LOG], async (work) => {
      const store = work.objectStore(LOG)
      const range = below(this.notebook, epoch)
      const [keys, log] = await Promise.all([asked(store.getAllKeys(range)), asked(store.getAll(range)) as Promise<Uint8Array[][]>])
      for (const key of keys) store.delete(key)
      this.log(work, epoch, [merged(log.flat())])
    })
  }

  private async write(stores: string[], work: (transaction: IDBTransaction) => unknown): Promise<void> {
    if (!this.keeps.getState()) return
    try {
      const transaction = (await this.shelf).transaction(stores, 'readwrite')
      const finished = done(transaction)
      await work(transaction)
      await finished
    } catch {
      // A full disk, or a shelf that a sign-out took away: the page says that nothing is kept, and goes on.
      this.broken(undefined)
    }
  }

  private broken<T>(instead: T): T {
    if (!this.closed) this.keeps.setState(false, true)
    return instead
  }
}

/** One update that says what all of these say, as far as they are complete. */
export function merged(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc()
  Y.transact(doc, () => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  const update = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return update
}

const emptyUpdate = () => Y.encodeStateAsUpdate(new Y.Doc())
