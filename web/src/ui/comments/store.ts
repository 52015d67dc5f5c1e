/** What is said about an open notebook: what the server has, and what this page still has to send. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { t } from '../../i18n'
import { ApiError } from '../../api/client'
import type { Found, Place } from '../../model/anchors'
import { type Said, talk, type Thread } from './api'

export type Filter = 'open' | 'resolved' | 'mine'

/** Something that was said here and that the server has not taken yet. */
export interface Unsent {
  readonly draft: string
  /** Null: it begins a thread, at `place`. */
  readonly thread: string | null
  readonly place: Place | null
  readonly text: string
  /** Why it was not taken; null while it is on its way. */
  readonly failed: string | null
}

/** Addresses that were mentioned, and reached nobody. */
export interface Unreached {
  readonly comment: string
  readonly addresses: readonly string[]
}

export interface Talking {
  readonly state: 'loading' | 'here' | 'refused' | 'failed'
  readonly why: string
  readonly threads: ReadonlyMap<string, Thread>
  readonly found: ReadonlyMap<string, Found>
  readonly focused: string | null
  readonly filter: Filter
  readonly minimised: boolean
  /** The place of a thread that is being begun. */
  readonly begun: Place | null
  readonly unsent: readonly Unsent[]
  readonly unreached: ReadonlyMap<string, Unreached>
  /** For a screen reader. */
  readonly told: string
}

/** What is written and not sent: it outlives the panel, and a reload of this tab. */
interface Kept {
  readonly drafts: Readonly<Record<string, string>>
  readonly begun: Place | null
  readonly unsent: readonly Unsent[]
}

export const NEW = 'new'
const BURST = 20

export class Comments {
  readonly state: StoreApi<Talking>
  private drafts: Record<string, string>
  private readonly waiting = new Set<string>()
  private asking = false
  private closed = false

  constructor(
    readonly notebook: string,
    private readonly me: string,
  ) {
    const kept = this.kept()
    this.drafts = { ...kept.drafts }
    this.state = createStore<Talking>(() => ({
      state: 'loading', why: '', threads: new Map(), found: new Map(), focused: null, filter: 'open', minimised: false, begun: kept.begun,
      unsent: kept.unsent.map((one) => ({ ...one, failed: one.failed ?? t('The page was left before the server had taken it.') })),
      unreached: new Map(), told: '',
    }))
  }

  close(): void {
    this.closed = true
  }

  private set(change: Partial<Talking>): void {
    if (!this.closed) this.state.setState(change)
  }

  // --- what the server has ------------------------------------------------------------------------

  /** Every thread, from the server. */
  async load(): Promise<void> {
    const threads = new Map<string, Thread>()
    try {
      for (let after: number | null = 0; after !== null; ) {
        const page: Awaited<ReturnType<typeof talk.page>> = await talk.page(this.notebook, after)
        for (const thread of page.threads) threads.set(thread.id, thread)
        after = page.more
      }
      this.set({ state: 'here', threads })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (this.state.getState().state === 'here' && error.status === 0) return
      this.set({ state: [401, 403, 404].includes(error.status) ? 'refused' : 'failed', why: error.message })
    }
  }

  /** Something changed in a thread: ask for it, or for all when much changes at once. */
  changed(thread: string): void {
    this.waiting.add(thread)
    if (!this.asking) void this.ask()
  }

  private async ask(): Promise<void> {
    this.asking = true
    while (this.waiting.size > 0 && !this.closed) {
      if (this.waiting.size > BURST) {
        this.waiting.clear()
        await this.load()
        continue
      }
      const [thread] = this.waiting
      this.waiting.delete(thread!)
      try {
        this.take(await talk.thread(this.notebook, thread!), true)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.status === 404) this.drop(thread!)
        else if (error.status !== 0) this.set({ why: error.message })
      }
    }
    this.asking = false
  }

  private take(thread: Thread, aloud = false): void {
    const before = this.state.getState().threads.get(thread.id)
    const last = thread.comments.at(-1)
    this.set({ threads: new Map(this.state.getState().threads).set(thread.id, thread) })
    if (aloud && last && !last.deleted && last.by.id !== this.me && thread.comments.length > (before?.comments.length ?? 0)) this.tell(`${last.by.name} commented: ${last.text.slice(0, 100)}`)
  }

  private drop(thread: string): void {
    const threads = new Map(this.state.getState().threads)
    threads.delete(thread)
    const { focused } = this.state.getState()
    this.set({ threads, focused: focused === thread ? null : focused })
  }

  tell(told: string): void {
    this.set({ told })
  }

  // --- saying -------------------------------------------------------------------------------------

  begin(place: Place): void {
    this.set({ begun: place, focused: NEW, minimised: false })
    this.keep()
  }

  /** Give up what is being begun. */
  leave(): void {
    this.write(NEW, '')
    this.set({ begun: null, focused: null })
    this.keep()
  }

  draft(key: string): string {
    return this.drafts[key] ?? ''
  }

  write(key: string, text: string): void {
    if (text === '') delete this.drafts[key]
    else this.drafts[key] = text
    this.keep()
  }

  say(key: string, text: string): void {
    const { begun, unsent } = this.state.getState()
    const one: Unsent = { draft: crypto.getRandomValues(new Uint32Array(4)).join('-'), thread: key === NEW ? null : key, place: key === NEW ? begun : null, text, failed: null }
    this.write(key, '')
    this.set({ unsent: [...unsent, one], ...(key === NEW && { begun: null }) })
    void this.send(one)
  }

  again(draft: string): void {
    const one = this.state.getState().unsent.find((each) => each.draft === draft)
    if (!one || one.failed === null) return
    this.amend(draft, null)
    void this.send(one)
  }

  discard(draft: string): void {
    this.set({ unsent: this.state.getState().unsent.filter((one) => one.draft !== draft) })
    this.keep()
  }

  private async send({ draft, thread, place, text }: Unsent): Promise<void> {
    this.keep()
    try {
      const said = thread === null ? await talk.begin(this.notebook, place!, text, draft) : await talk.reply(this.notebook, thread, text, draft)
      this.take(said.thread)
      this.discard(draft)
      if (thread === null) this.set({ focused: said.thread.id })
      this.reached(said, said.thread.comments.findLast((one) => one.by.id === this.me)?.id)
      this.tell(t('Comment sent.'))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.amend(draft, error.message)
      this.tell(t('The comment was not sent. {message}', { message: error.message }))
    }
  }

  private amend(draft: string, failed: string | null): void {
    this.set({ unsent: this.state.getState().unsent.map((one) => (one.draft === draft ? { ...one, failed } : one)) })
    this.keep()
  }

  /** Whom a comment did not reach is said beside it. */
  private reached({ thread, unreached }: Said, comment: string | undefined): void {
    const all = new Map(this.state.getState().unreached)
    if (unreached.length > 0 && comment !== undefined) all.set(thread.id, { comment, addresses: unreached })
    else all.delete(thread.id)
    this.set({ unreached: all })
  }

  async edit(thread: string, comment: string, text: string): Promise<void> {
    const said = await talk.edit(this.notebook, thread, comment, text)
    this.take(said.thread)
    this.reached(said, comment)
  }

  async resolve(thread: Thread): Promise<void> {
    const resolved = thread.resolved_at === null
    this.take(await (resolved ? talk.resolve : talk.reopen)(this.notebook, thread.id))
    this.tell(resolved ? t('Resolved.') : t('Opened again.'))
  }

  async remove(thread: string): Promise<void> {
    await talk.remove(this.notebook, thread)
    this.drop(thread)
    this.tell(t('Thread deleted.'))
  }

  async removeComment(thread: string, comment: string): Promise<void> {
    await talk.removeComment(this.notebook, thread, comment)
    this.changed(thread)
    this.tell(t('Comment deleted.'))
  }

  // --- what outlives the panel ---------------------------------------------------------------------

  private get key(): string {
    return `collegium/comments/${this.me}/${this.notebook}`
  }

  private keep(): void {
    const { begun, unsent } = this.state.getState()
    const kept: Kept = { drafts: this.drafts, begun, unsent }
    try {
      if (begun === null && unsent.length === 0 && Object.keys(this.drafts).length === 0) sessionStorage.removeItem(this.key)
      else sessionStorage.setItem(this.key, JSON.stringify(kept))
    } catch {
      // A full or forbidden storage: what is written is kept for as long as the page is open.
    }
  }

  private kept(): Kept {
    const nothing: Kept = { drafts: {}, begun: null, unsent: [] }
    try {
      return { ...nothing, ...(JSON.parse(sessionStorage.getItem(this.key) ?? '{}') as Partial<Kept>) }
    } catch {
      return nothing
    }
  }
}
