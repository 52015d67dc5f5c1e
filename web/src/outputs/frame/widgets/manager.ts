/** The widgets of one frame: models are fetched from the page when they are first needed, and follow what it tells. */
import * as base from '@jupyter-widgets/base'
import { ManagerBase } from '@jupyter-widgets/base-manager'
import type { FrameItem, FrameModel } from '../../widgets/items'
import type { Modules } from './amd'
import { FrameComm, type Sent } from './comm'
import { typeset } from './typeset'

export interface Page {
  /** These models and near ones that they refer to; those that nobody knows are missing. */
  models(ids: readonly string[]): Promise<readonly FrameModel[]>
  send(sent: Sent): void
}

const REFERENCE = 'IPY_MODEL_'
const DEPTH_MAX = 100

export class FrameManager extends ManagerBase {
  /** Where the views of @jupyter-widgets/controls look for whoever sets formulas. */
  readonly _rendermime = { latexTypesetter: { typeset } }
  /** Fetched, and not made yet. */
  private readonly raw = new Map<string, FrameModel>()
  private readonly comms = new Map<string, FrameComm>()
  private readonly refers = new Map<string, ReadonlySet<string>>()
  private readonly fetching = new Map<string, Promise<void>>()

  constructor(private readonly page: Page, private readonly modules: Modules) {
    super()
  }

  override async get_model(id: string): Promise<base.WidgetModel> {
    if (!this.has_model(id)) await this.fetch(id)
    if (!this.has_model(id)) this.make(id)
    return super.get_model(id)
  }

  /** What the page tells of the models here. */
  heard(item: FrameItem): void {
    if ('done' in item) {
      for (const comm of this.comms.values()) comm.done(item.done)
    } else if ('gone' in item) {
      void this.gone()
    } else if ('closed' in item) {
      this.comms.get(item.id)?.closed()
      this.forget(item.id)
    } else if ('data' in item) {
      this.comms.get(item.id)?.said(item.data, item.buffers)
    } else this.updated(item)
  }

  /** Whether the kernel would take what this model sends; null while it is not here. */
  async isLive(id: string): Promise<boolean> {
    return (await this.get_model(id)).comm_live
  }

  /** The ids of all models that are here. */
  get known(): readonly string[] {
    return [...this.refers.keys()]
  }

  protected async loadClass(name: string, module: string): Promise<never> {
    const loaded = (await this.modules.load(module)) as Record<string, unknown> & { default?: Record<string, unknown> }
    const found = loaded[name] ?? loaded.default?.[name]
    if (found === undefined) throw new Error(`${module} has no ${name}.`)
    return found as never
  }

  protected async _create_comm(target: string, id?: string, data?: unknown, metadata?: unknown, buffers?: ArrayBuffer[] | ArrayBufferView[]): Promise<base.IClassicComm> {
    const comm = this.comm(id ?? crypto.randomUUID(), target)
    // Without either it joins a comm that the kernel has.
    if (data !== undefined || metadata !== undefined) comm.open(data, undefined, metadata, buffers)
    return comm
  }

  /** Nothing is loaded in bulk here, so nobody needs the list. */
  protected async _get_comm_info(): Promise<Record<string, never>> {
    return {}
  }

  private comm(id: string, target: string): FrameComm {
    const made = new FrameComm(id, target, (sent) => this.page.send(sent))
    this.comms.set(id, made)
    return made
  }

  private async fetch(id: string): Promise<void> {
    if (this.raw.has(id)) return
    let fetching = this.fetching.get(id)
    if (!fetching) {
      fetching = this.page.models([id]).then((models) => this.take(models)).finally(() => this.fetching.delete(id))
      this.fetching.set(id, fetching)
    }
    await fetching
  }

  private take(models: readonly FrameModel[]): void {
    const links: string[] = []
    for (const model of models) {
      if (this.has_model(model.id) || this.raw.has(model.id)) continue
      this.raw.set(model.id, model)
      this.refers.set(model.id, new Set(references(model.state)))
      if (String(model.state._model_name).endsWith('LinkModel')) links.push(model.id)
    }
    // Nothing refers to a link, so it is made because what it joins is here.
    for (const link of links) this.get_model(link).catch((error: unknown) => console.warn(error))
  }

  private make(id: string): void {
    const model = this.raw.get(id)
    if (model === undefined) throw new Error('This widget is not known any more. Run the cell again.')
    this.raw.delete(id)
    if (this.isCircular(id)) throw new Error('These widgets contain each other.')
    const state = { ...model.state }
    base.put_buffers(state as never, model.buffers.map(([path]) => [...path]), model.buffers.map(([, buffer]) => new DataView(buffer)))
    const options = { model_id: id, model_name: String(state._model_name), model_module: String(state._model_module), model_module_version: String(state._model_module_version) }
    void this.new_model(model.live ? { ...options, comm: this.comm(id, model.target) } : options, state).catch(() => this.forget(id))
  }

  private updated(item: Extract<FrameItem, { state: unknown }>): void {
    const waiting = this.raw.get(item.id)
    if (waiting) {
      const kept = waiting.buffers.filter(([path]) => !(String(path[0]) in item.state))
      this.raw.set(item.id, { ...waiting, state: { ...waiting.state, ...item.state }, buffers: [...kept, ...item.buffers] })
      return
    }
    if (!this.refers.has(item.id)) return
    const before = this.refers.get(item.id) ?? new Set()
    this.refers.set(item.id, new Set([...before, ...references(item.state)]))
    if (this.isCircular(item.id)) {
      this.refers.set(item.id, before)
      console.warn('These widgets contain each other, so this change is not shown.')
      return
    }
    this.comms.get(item.id)?.updated(item)
  }

  /** Whether a model contains itself: nobody could draw that to its end. */
  private isCircular(id: string): boolean {
    const seen = new Set<string>()
    const waiting = [...(this.refers.get(id) ?? [])]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next === id) return true
      if (seen.has(next)) continue
      seen.add(next)
      waiting.push(...(this.refers.get(next) ?? []))
    }
    return false
  }

  private async gone(): Promise<void> {
    this.comms.clear()
    for (const [id, model] of this.raw) this.raw.set(id, { ...model, live: false })
    for (const id of this.refers.keys()) {
      if (!this.has_model(id)) continue
      const model = await super.get_model(id)
      model.comm_live = false
    }
  }

  private forget(id: string): void {
    for (const map of [this.comms, this.raw, this.refers]) map.delete(id)
  }
}

function* references(value: unknown, depth = 0): Generator<string> {
  if (typeof value === 'string') {
    if (value.startsWith(REFERENCE)) yield value.slice(REFERENCE.length)
  } else if (depth < DEPTH_MAX && typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) yield* references(item, depth + 1)
  }
}
