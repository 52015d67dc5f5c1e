/** The page's end of widgets: asks the server for models, passes on what frames say, and tells each what it shows. */
import { t } from '../../i18n'
import type { FromServer, NotebookId, ToServer, WidgetBuffer, WidgetItem, WidgetModel } from '../../model/wire'
import type { Around } from './around'
import { Contents } from './contents'
import type { FrameItem, FrameModel } from './items'
import { savedModels } from './saved'
import { Sender } from './sender'

const ANSWER_WITHIN_MS = 20_000
const IDS_MAX = 2000
const ID_CHARACTERS_MAX = 200

type Post = (items: readonly FrameItem[]) => void
type Found = Extract<FromServer, { type: 'widget_models' }>

const planes = new Map<NotebookId, { readonly around: Around; readonly plane: Plane }>()

/** One for each notebook; another connection of the same page is another one. */
export function planeOf(around: Around): Plane {
  const known = planes.get(around.notebook)
  if (known?.around === around) return known.plane
  known?.plane.close()
  const plane = new Plane(around)
  planes.set(around.notebook, { around, plane })
  return plane
}

/** What one frame may do. */
export interface Member {
  models(ids: unknown): Promise<readonly FrameModel[]>
  say(sent: unknown): Promise<void>
  nbextension(path: unknown): Promise<string>
}

/** A frame that shows widgets. What happens to models that are still on their way to it waits until it has them. */
class Frame {
  readonly ids = new Set<string>()
  private joins = 0
  private held: FrameItem[] = []

  constructor(private readonly post: Post) {}

  tell(items: readonly FrameItem[]): void {
    if (this.joins > 0) this.held.push(...items)
    else this.post(items)
  }

  async joining<Given>(given: Promise<Given>): Promise<Given> {
    this.joins += 1
    try {
      return await given
    } finally {
      // Whoever waits here passes it on before the next task, so it is there before what was held.
      setTimeout(() => this.joined())
    }
  }

  private joined(): void {
    this.joins -= 1
    if (this.joins === 0 && this.held.length > 0) this.post(this.held.splice(0))
  }
}

export class Plane {
  private readonly frames = new Set<Frame>()
  private readonly asked = new Map<string, (found: Found | null) => void>()
  private readonly senders = new Map<string, { readonly frame: Frame; readonly model: string }>()
  private readonly contents: Contents
  private readonly sender: Sender
  private readonly stop: () => void
  private requests = 0
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly around: Around) {
    this.contents = new Contents(around.notebook)
    this.sender = new Sender(around, this.contents, (message, why) => this.done(message, why))
    this.stop = around.wire.listen((message) => this.heard(message))
  }

  close(): void {
    this.stop()
    this.sender.close()
    for (const answer of this.asked.values()) answer(null)
  }

  /** A frame is here until the signal. `execution`: the run it shows; null: it may look, and nothing else. */
  join(post: Post, execution: string | null, until: AbortSignal): Member {
    const frame = new Frame(post)
    this.frames.add(frame)
    until.addEventListener('abort', () => this.leave(frame))
    return {
      models: async (ids) => {
        const wanted = parsedIds(ids)
        const found = await this.ask(wanted)
        const coming = frame.joining(this.whole(found, wanted))
        // The server tells from now on what happens to them.
        for (const { id } of found?.models ?? []) frame.ids.add(id)
        if (!this.frames.has(frame)) this.leave(frame)
        const models = await coming
        for (const { id } of models) frame.ids.add(id)
        return models
      },
      say: async (sent) => {
        const message = this.sender.parsed(sent, execution)
        this.senders.set(message.message, { frame, model: message.id })
        frame.ids.add(message.id)
        try {
          await this.sender.send(message)
        } catch (error) {
          this.senders.delete(message.message)
          throw error
        }
      },
      nbextension: (path) => this.contents.script(String(path)),
    }
  }

  /** Whether the kernel has one of these. */
  async isAlive(ids: readonly string[]): Promise<boolean> {
    const found = await this.ask(ids)
    return found?.models.some((model) => model.live && ids.includes(model.id)) ?? false
  }

  private leave(frame: Frame): void {
    this.frames.delete(frame)
    const shown = new Set([...this.frames].flatMap((other) => [...other.ids]))
    const dropped = [...frame.ids].filter((id) => !shown.has(id))
    for (let at = 0; at < dropped.length; at += IDS_MAX) this.around.wire.send({ type: 'widgets_dropped', models: dropped.slice(at, at + IDS_MAX) })
  }

  private async models(ids: readonly string[]): Promise<readonly FrameModel[]> {
    return this.whole(await this.ask(ids), ids)
  }

  private async whole(found: Found | null, ids: readonly string[]): Promise<readonly FrameModel[]> {
    const models = await Promise.all((found?.models ?? []).map((model) => this.model(model)))
    const missing = found?.missing ?? ids
    return missing.length === 0 ? models : [...models, ...savedModels(this.around.saved(), missing)]
  }

  private ask(ids: readonly string[]): Promise<Found | null> {
    const request = `w${++this.requests}`
    const message: ToServer = { type: 'widget_models', request, models: ids.slice(0, IDS_MAX) }
    if (!this.around.wire.send(message)) return Promise.resolve(null)
    return new Promise((done) => {
      const timer = setTimeout(() => settle(null), ANSWER_WITHIN_MS)
      const settle = (found: Found | null) => {
        clearTimeout(timer)
        this.asked.delete(request)
        done(found)
      }
      this.asked.set(request, settle)
    })
  }

  private async model({ id, target, live, over, state, large, buffers }: WidgetModel): Promise<FrameModel> {
    return { id, target, live, ...(over === true && { over }), state: await this.contents.state(state, large), buffers: await this.buffers(buffers) }
  }

  private buffers(buffers: WidgetModel['buffers']): Promise<FrameModel['buffers']> {
    return Promise.all((buffers ?? []).map(async ([path, buffer]) => [path, await this.contents.bytes(buffer)] as const))
  }

  private heard(message: FromServer): void {
    switch (message.type) {
      case 'widget_models':
        this.asked.get(String(message.request))?.(message)
        break
      case 'widget_updates':
        this.turn = this.turn.then(async () => {
          await this.take(message.items)
          if (message.reset === true) await this.again()
          this.around.wire.send({ type: 'widgets_read', n: message.n })
        })
        break
      case 'comm_refused':
        this.done(message.message, message.detail)
        break
      case 'welcome':
        // Another connection: what was said in between went by, and what was sent may be lost.
        this.turn = this.turn.then(() => this.again())
        break
      default:
    }
  }

  private async take(items: readonly WidgetItem[]): Promise<void> {
    for (const item of items) {
      if ('done' in item) this.done(item.done)
      else if ('gone' in item) this.tell([item], () => true)
      else if ('closed' in item) this.tell([item], ({ ids }) => ids.delete(item.id))
      else {
        try {
          const whole = await this.item(item)
          this.tell([whole], ({ ids }) => ids.has(item.id))
        } catch (error) {
          // A content that is not there any more was replaced, and what replaced it follows.
          console.warn(error)
        }
      }
    }
  }

  private async item(item: Exclude<WidgetItem, { done: string } | { gone: true } | { closed: true }>): Promise<FrameItem> {
    if ('data' in item) return { id: item.id, data: item.data, buffers: await Promise.all((item.buffers ?? []).map((buffer: WidgetBuffer) => this.contents.bytes(buffer))) }
    return { id: item.id, state: await this.contents.state(item.state, item.large), buffers: await this.buffers(item.buffers), ...(item.by && { by: item.by }) }
  }

  private tell(items: readonly FrameItem[], whom: (frame: Frame) => boolean): void {
    for (const frame of this.frames) if (whom(frame)) frame.tell(items)
  }

  private done(message: string, refused?: string): void {
    const sender = this.senders.get(message)
    this.senders.delete(message)
    sender?.frame.tell([{ done: message, ...(refused !== undefined && { refused }) }])
  }

  /** Every model as it is now; whoever waits for an echo of what they sent finds it in there. */
  private async again(): Promise<void> {
    const ids = [...new Set([...this.frames].flatMap((frame) => [...frame.ids]))]
    const pending = [...this.senders]
    for (let at = 0; at < ids.length; at += IDS_MAX) {
      const some = ids.slice(at, at + IDS_MAX)
      const known = new Map((await this.models(some)).map((model) => [model.id, model]))
      if (known.size > 0 && [...known.values()].every(({ live }) => !live)) this.tell([{ gone: true }], () => true)
      for (const { id, state, buffers } of known.values()) {
        const names = pending.filter(([, sent]) => sent.model === id).map(([name]) => name)
        const by = names.length > 0 ? { by: Object.fromEntries(Object.keys(state).map((name) => [name, names])) } : {}
        this.tell([{ id, state, buffers, ...by }], (frame) => frame.ids.has(id))
      }
    }
    for (const [name] of pending) this.done(name)
  }
}

function parsedIds(ids: unknown): readonly string[] {
  if (!Array.isArray(ids) || ids.length > IDS_MAX || !ids.every((id) => typeof id === 'string' && id.length > 0 && id.length <= ID_CHARACTERS_MAX)) throw new Error(t('These are no widgets.'))
  return ids
}
