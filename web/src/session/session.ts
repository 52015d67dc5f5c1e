/** What runs: the latest execution of every cell, the kernel, the runtime and the queue, as the server tells it. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { t } from '../i18n'
import { problemText } from '../i18n/problems'
import type { Reasoned } from '../i18n/reasons'
import { appended, spliced } from '../model/outputs'
import { added, pointOf, type UsagePoint } from '../model/usage'
import type { CellId, Execution, ExecutionId, FromServer, Kernel, MimeBundle, Output, PackageChange, Queued, Runtime, ToServer, Usage, Variable } from '../model/wire'

/** The part of a room that a session needs. */
export interface Wire {
  send(message: ToServer): boolean
  listen(listener: (message: FromServer) => void): () => void
}

export interface SessionState {
  readonly runtime: Runtime | null
  readonly kernel: Kernel | null
  readonly queue: readonly Queued[]
  /** Asked for, and not yet answered by a state. */
  readonly connecting: boolean
  /** A runtime was there, and nobody here gave it back: why it is gone, if that is known. */
  readonly gone: (Reasoned & { readonly started: boolean }) | null
  /** Memory is nearly full, and these variables hold most of it. */
  readonly memory: { readonly bytes: number; readonly limit: number; readonly variables: readonly Variable[] } | null
  /** Packages that the kernel had imported before they were replaced. */
  readonly packages: readonly PackageChange[]
}

/** Changes every two seconds, so it stands apart from what changes seldom. */
export interface UsageState {
  readonly now: Usage | null
  readonly seen: readonly UsagePoint[]
}

export interface CellRun {
  readonly execution: Execution
  readonly outputs: readonly Output[]
  /** The execution that left these outputs: the one before, until this one speaks or ends. */
  readonly madeBy: ExecutionId
  /** Made while this page looked on, so it may talk to the kernel. */
  readonly live: boolean
  /** By this browser's clock, since the two clocks may differ. */
  readonly startedHere: number | null
}

export interface Completion {
  readonly matches: readonly string[]
  readonly types: readonly string[]
  readonly start: number
  readonly end: number
}

export interface SessionEvents {
  refused(code: string, detail: string): void
}

const ANSWER_WITHIN_MS = 4000

type Answer = Extract<FromServer, { type: 'completion' | 'inspection' | 'accepted' | 'refused' }>

export class Session {
  readonly state: StoreApi<SessionState> = createStore<SessionState>(() => ({ runtime: null, kernel: null, queue: [], connecting: false, gone: null, memory: null, packages: [] }))
  readonly usage: StoreApi<UsageState> = createStore<UsageState>(() => NO_USAGE)
  private readonly runs = new Map<CellId, CellRun>()
  private readonly versions = new Map<ExecutionId, number>()
  private readonly watchers = new Map<CellId, Set<() => void>>()
  private readonly seen = new Set<ExecutionId>()
  private readonly asked = new Map<string, (answer: Answer | null) => void>()
  private requests = 0
  /** What this page did last that ends a runtime. */
  private leaving: 'disconnect' | 'connect' | null = null
  /** By how much the server's clock is before this browser's. */
  private ahead = 0
  private readonly dismissed = new Set<string>()
  private readonly stop: () => void

  constructor(private readonly wire: Wire, private readonly events: SessionEvents) {
    this.stop = wire.listen((message) => this.heard(message))
  }

  close(): void {
    this.stop()
    for (const answer of this.asked.values()) answer(null)
  }

  readonly run = (cell: CellId): CellRun | undefined => this.runs.get(cell)
  /** What every cell shows now. */
  readonly all = (): ReadonlyMap<CellId, CellRun> => this.runs

  watch(cell: CellId, watcher: () => void): () => void {
    const watchers = this.watchers.get(cell) ?? new Set()
    this.watchers.set(cell, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0) this.watchers.delete(cell)
    }
  }

  /** Ask for runs, in this order; false when nothing could be asked, or the server said no. */
  async execute(cells: readonly { readonly cell: CellId; readonly hash: string }[]): Promise<boolean> {
    if (!this.state.getState().runtime) this.state.setState({ connecting: true })
    const answer = await this.ask((request) => ({ type: 'execute', request, cells }))
    if (answer?.type === 'accepted') return true
    this.state.setState({ connecting: false })
    if (answer?.type === 'refused') this.events.refused(answer.code, problemText(answer) ?? '')
    else this.events.refused('unavailable', t('The server did not answer. The cell was not run.'))
    return false
  }

  command(type: 'interrupt' | 'restart' | 'disconnect' | 'keep'): void {
    if (!this.wire.send({ type })) this.events.refused('unavailable', t('There is no connection to the server now.'))
    else if (type === 'disconnect') this.leaving = 'disconnect'
  }

  /** Ask for a runtime: this one if it is named, or what the notebook says. One of another kind is given back first. */
  connect(wanted: { readonly type?: string; readonly version?: string } = {}): void {
    const message = { type: 'connect', ...(wanted.type !== undefined && { runtime_type: wanted.type }), ...(wanted.version !== undefined && { version: wanted.version }) } as const
    if (!this.wire.send(message)) return this.events.refused('unavailable', t('There is no connection to the server now.'))
    this.leaving = 'connect'
    this.state.setState({ connecting: true, gone: null })
  }

  /** What the server's clock says now. */
  now(): number {
    return Date.now() + this.ahead
  }

  /** The person has seen this, and does not want to see it again. */
  dismiss(what: 'gone' | 'memory' | 'packages'): void {
    for (const change of what === 'packages' ? this.state.getState().packages : []) this.dismissed.add(named(change))
    this.state.setState(what === 'packages' ? { packages: [] } : { [what]: null })
  }

  cancel(cell: CellId): void {
    this.wire.send({ type: 'cancel', cell })
  }

  answer(execution: ExecutionId, value: string): void {
    this.wire.send({ type: 'input', execution, value })
  }

  clear(cells: readonly CellId[] | 'all'): void {
    this.wire.send({ type: 'clear', cells })
  }

  async complete(code: string, cursor: number): Promise<Completion | null> {
    const answer = await this.ask((request) => ({ type: 'complete', request, code, cursor }))
    return answer?.type === 'completion' ? answer : null
  }

  async inspect(code: string, cursor: number, detail: 0 | 1): Promise<MimeBundle | null> {
    const answer = await this.ask((request) => ({ type: 'inspect', request, code, cursor, detail }))
    return answer?.type === 'inspection' && answer.found ? answer.data : null
  }

  private ask(message: (request: string) => ToServer): Promise<Answer | null> {
    const request = `r${++this.requests}`
    if (!this.wire.send(message(request))) return Promise.resolve(null)
    return new Promise((done) => {
      const timer = setTimeout(() => settle(null), ANSWER_WITHIN_MS)
      const settle = (answer: Answer | null) => {
        clearTimeout(timer)
        this.asked.delete(request)
        done(answer)
      }
      this.asked.set(request, settle)
    })
  }

  private heard(message: FromServer): void {
    switch (message.type) {
      case 'session':
        this.turned(message.runtime, message.kernel, message.queue)
        break
      case 'usage':
        this.ahead = message.at - Date.now()
        this.usage.setState(({ seen }) => ({ now: message, seen: added(seen, pointOf(message)) }))
        break
      case 'memory_warning':
        this.state.setState({ memory: message.over ? null : { bytes: message.memory_bytes, limit: message.memory_limit_bytes, variables: message.variables } })
        break
      case 'packages':
        this.state.setState(({ packages }) => {
          const news = message.changed.filter((change) => !this.dismissed.has(named(change)))
          const names = new Set(news.map(({ name }) => name))
          return { packages: [...packages.filter(({ name }) => !names.has(name)), ...news] }
        })
        break
      case 'cells':
        // What these cells show now, also when that is older than what was asked for and never ran.
        for (const execution of message.executions) this.changed(execution)
        break
      case 'accepted': case 'refused': case 'completion': case 'inspection':
        if (message.type === 'refused' && message.request === undefined) {
          this.state.setState({ connecting: false })
          this.events.refused(message.code, problemText(message) ?? '')
          break
        }
        if (message.type === 'accepted') for (const { execution } of message.executions) this.seen.add(execution)
        if (message.request !== undefined) this.asked.get(message.request)?.(message)
        break
      case 'execution': {
        this.seen.add(message.execution)
        const shown = this.runs.get(message.cell)?.execution
        if (!shown || !older(message, shown)) this.changed(message)
        break
      }
      case 'outputs':
        this.output(message.execution, message.cell, message.version, (outputs) => spliced(outputs, message.splice[0], message.splice[1]), message.splice[0] === 0)
        break
      case 'append':
        this.output(message.execution, message.cell, message.version, (outputs) => appended(outputs, message.index, message.keep, message.text), false)
        break
      case 'input_request': {
        const run = this.runs.get(message.cell)
        if (run?.execution.execution !== message.execution) break
        this.put(message.cell, { ...run, execution: { ...run.execution, input: { prompt: message.prompt, password: message.password } } })
        break
      }
      default:
    }
  }

  private turned(runtime: Runtime | null, kernel: Kernel | null, queue: readonly Queued[]): void {
    const before = this.state.getState()
    const same = before.runtime?.id === runtime?.id
    const renewed = !same || (kernel?.state !== before.kernel?.state && (kernel?.state === 'restarting' || kernel?.state === 'dead'))
    if (renewed) this.dismissed.clear()
    if (!same || !isHere(runtime)) this.usage.setState(NO_USAGE)
    const started = before.runtime?.state === 'ready'
    const meant = this.leaving === 'disconnect' || (this.leaving === 'connect' && started)
    const reason = runtime?.reason ?? null
    const why = runtime?.why ?? null
    const found = before.runtime === null && runtime?.state === 'failed' && !meant
    const gone = isHere(runtime) ? null : found || (isHere(before.runtime) && !meant) ? { reason, ...(why && { why }), started: started || found } : before.gone
    if (runtime?.state === 'ready') this.leaving = null
    this.state.setState({ runtime, kernel, queue, connecting: false, gone, ...((renewed || !isHere(runtime)) && { memory: null, packages: [] }) })
  }

  private changed(execution: Execution): void {
    const before = this.runs.get(execution.cell)
    const same = before?.execution.execution === execution.execution
    if (execution.version !== undefined) this.versions.set(execution.execution, execution.version)
    if (!same && before) this.versions.delete(before.execution.execution)
    const settled = execution.state === 'finished' || execution.state === 'failed'
    const silent = execution.outputs === undefined || execution.outputs.length === 0
    const own = before?.madeBy === execution.execution
    const stays = before !== undefined && (own ? execution.outputs === undefined : silent && !settled && !execution.saved)
    const madeBy = stays ? before.madeBy : execution.execution
    this.put(execution.cell, {
      execution,
      outputs: stays ? before.outputs : (execution.outputs ?? []),
      madeBy,
      live: this.seen.has(madeBy),
      startedHere: this.started(execution, same ? before : undefined),
    })
  }

  private started(execution: Execution, before: CellRun | undefined): number | null {
    if (execution.state !== 'running') return null
    return before?.startedHere ?? (this.seen.has(execution.execution) ? Date.now() : execution.started_at)
  }

  private output(id: ExecutionId, cell: CellId, version: number, change: (outputs: readonly Output[]) => readonly Output[] | null, whole: boolean): void {
    const run = this.runs.get(cell)
    if (run?.execution.execution !== id) return
    const known = this.versions.get(id) ?? 0
    if (version <= known && !whole) return
    const base = run.madeBy === id ? run.outputs : []
    const outputs = version === known + 1 || whole ? change(base) : null
    if (outputs === null) {
      this.wire.send({ type: 'outputs', execution: id })
      return
    }
    this.versions.set(id, version)
    this.put(cell, { ...run, outputs, madeBy: id, live: this.seen.has(id) })
  }

  private put(cell: CellId, run: CellRun): void {
    this.runs.set(cell, run)
    this.tell(cell)
  }

  private tell(cell: CellId): void {
    for (const watcher of this.watchers.get(cell) ?? []) watcher()
  }
}

const NO_USAGE: UsageState = { now: null, seen: [] }

/** It is asked for or lent, and not on its way out. */
export const isHere = (runtime: Runtime | null): runtime is Runtime => runtime !== null && runtime.state !== 'stopping' && runtime.state !== 'stopped' && runtime.state !== 'failed'
const named = ({ name, from, to }: PackageChange): string => `${name} ${from} ${to}`

function older(one: Execution, other: Execution): boolean {
  return (one.queued_at ?? 0) < (other.queued_at ?? 0)
}
