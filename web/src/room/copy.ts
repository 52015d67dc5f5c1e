/** The copy of a notebook that this browser keeps, so that nothing typed without a network is lost with the tab. */
import { IndexeddbPersistence, clearDocument } from 'y-indexeddb'
import type * as Y from 'yjs'

/** What is remembered beside the copy: which life of the document it belongs to, and whether the server lacks some. */
interface Label {
  readonly epoch: string
  readonly dirty: boolean
}

const PREFIX = 'collegium/copy/'

export interface LocalCopy {
  readonly epoch: string | null
  readonly dirty: boolean
  /** Fills the document with what was kept; resolves at once when nothing was. */
  load(doc: Y.Doc): Promise<void>
  /** The origin of updates that come from the copy. */
  readonly origin: unknown
  belongs(doc: Y.Doc, epoch: string): void
  mark(dirty: boolean): void
  forget(): Promise<void>
  close(): void
}

export class BrowserCopy implements LocalCopy {
  private persistence: IndexeddbPersistence | null = null
  private label: Label | null
  private readonly key: string

  constructor(user: string, notebook: string) {
    this.key = `${PREFIX}${user}/${notebook}`
    this.label = read(this.key)
  }

  get epoch(): string | null {
    return this.label?.epoch ?? null
  }

  get dirty(): boolean {
    return this.label?.dirty ?? false
  }

  get origin(): unknown {
    return this.persistence
  }

  async load(doc: Y.Doc): Promise<void> {
    if (this.label) await this.attach(doc, this.label.epoch)
  }

  belongs(doc: Y.Doc, epoch: string): void {
    if (this.label?.epoch === epoch && this.persistence) return
    this.write({ epoch, dirty: this.dirty })
    void this.attach(doc, epoch)
  }

  mark(dirty: boolean): void {
    if (this.label && this.label.dirty !== dirty) this.write({ ...this.label, dirty })
  }

  async forget(): Promise<void> {
    const epoch = this.epoch
    this.label = null
    localStorage.removeItem(this.key)
    await this.persistence?.destroy()
    this.persistence = null
    if (epoch !== null) await clearDocument(this.name(epoch))
  }

  close(): void {
    void this.persistence?.destroy()
    this.persistence = null
  }

  private async attach(doc: Y.Doc, epoch: string): Promise<void> {
    // Private windows and full disks have no IndexedDB; the page then works without a copy.
    if (!('indexedDB' in globalThis)) return
    const persistence = new IndexeddbPersistence(this.name(epoch), doc)
    this.persistence = persistence
    const opened = persistence.whenSynced.then(() => undefined)
    const patience = new Promise<void>((done) => setTimeout(done, 1500))
    await Promise.race([opened, patience])
  }

  private name(epoch: string): string {
    return `${this.key}/${epoch}`
  }

  private write(label: Label): void {
    this.label = label
    localStorage.setItem(this.key, JSON.stringify(label))
  }
}

/** Remove the copies of all that the server has as well: for signing out on a shared computer. */
export async function forgetSavedCopies(): Promise<void> {
  for (const key of Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))) {
    const label = read(key)
    if (label?.dirty) continue
    localStorage.removeItem(key)
    if (label) await clearDocument(`${key}/${label.epoch}`)
  }
}

function read(key: string): Label | null {
  const text = localStorage.getItem(key)
  if (text === null) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Something else wrote there; the copy it named cannot be found again.
    return null
  }
  if (typeof value !== 'object' || value === null || !('epoch' in value) || typeof value.epoch !== 'string') return null
  return { epoch: value.epoch, dirty: 'dirty' in value && value.dirty === true }
}
