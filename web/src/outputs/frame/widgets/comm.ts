/** A frame's end of a comm: what it sends goes through the page to the kernel, what it hears is what all hear. */
import type { IClassicComm } from '@jupyter-widgets/base'
import type { FrameItem } from '../../widgets/items'

/** Where a message goes; its name comes back as done, refused, or as the author of a change. */
export interface Sent {
  readonly op: 'open' | 'msg' | 'close'
  readonly id: string
  readonly message: string
  readonly data: unknown
  readonly target: string
  readonly metadata: unknown
  readonly buffers: readonly ArrayBuffer[]
}
type Callbacks = Parameters<IClassicComm['send']>[1]
type Buffers = Parameters<IClassicComm['send']>[3]
type Hear = (message: unknown) => unknown
export type Update = Extract<FrameItem, { state: unknown }>

const NAMES_MAX = 1000

export class FrameComm implements IClassicComm {
  private onMessage: Hear | null = null
  private onClose: Hear | null = null
  private early: unknown[] = []
  private readonly sent = new Map<string, Callbacks>()

  constructor(
    readonly comm_id: string,
    readonly target_name: string,
    private readonly post: (sent: Sent) => void,
  ) {}

  open(data: unknown, callbacks?: Callbacks, metadata?: unknown, buffers?: Buffers): string {
    return this.say('open', data, callbacks, metadata, buffers)
  }

  send(data: unknown, callbacks?: Callbacks, metadata?: unknown, buffers?: Buffers): string {
    return this.say('msg', data, callbacks, metadata, buffers)
  }

  close(data?: unknown, callbacks?: Callbacks, metadata?: unknown, buffers?: Buffers): string {
    return this.say('close', data ?? {}, callbacks, metadata, buffers)
  }

  on_msg(hear: Hear): void {
    this.onMessage = hear
    for (const message of this.early.splice(0)) hear(message)
  }

  on_close(hear: Hear): void {
    this.onClose = hear
  }

  /** Attributes are now so, whoever made them so. */
  updated({ state, buffers, by = {} }: Update): void {
    for (const [author, names] of this.authors(state, by)) {
      const some = Object.fromEntries(names.map((name) => [name, state[name]]))
      const held = buffers.filter(([path]) => names.includes(String(path[0])))
      const data = { method: author === null ? 'update' : 'echo_update', state: some, buffer_paths: held.map(([path]) => path) }
      this.hear(data, held.map(([, buffer]) => buffer), author)
    }
  }

  /** A message of another kind. */
  said(data: unknown, buffers: readonly ArrayBuffer[]): void {
    this.hear(data, buffers, null)
  }

  /** The kernel has carried this out, or never will. */
  done(message: string): void {
    const callbacks = this.sent.get(message)
    this.sent.delete(message)
    callbacks?.iopub?.status?.({ content: { execution_state: 'idle' } } as never)
  }

  closed(): void {
    this.onClose?.({ content: { comm_id: this.comm_id, data: {} } })
  }

  /** Attributes by the message that set them: of several the own, since ipywidgets waits for its echo. */
  private authors(state: Update['state'], by: NonNullable<Update['by']>): Map<string | null, string[]> {
    const found = new Map<string | null, string[]>()
    for (const name of Object.keys(state)) {
      const authors = by[name] ?? []
      const author = authors.findLast((one) => this.sent.has(one)) ?? authors.at(-1) ?? null
      found.set(author, [...(found.get(author) ?? []), name])
    }
    return found
  }

  private hear(data: unknown, buffers: readonly ArrayBuffer[], author: string | null): void {
    const header = { msg_id: author ?? '' }
    const message = { content: { comm_id: this.comm_id, data }, metadata: {}, header, parent_header: header, buffers: buffers.map((buffer) => new DataView(buffer)) }
    if (this.onMessage) this.onMessage(message)
    else this.early.push(message)
  }

  private say(op: Sent['op'], data: unknown, callbacks: Callbacks, metadata: unknown, buffers: Buffers): string {
    const message = crypto.randomUUID()
    this.sent.set(message, callbacks)
    for (const name of this.sent.keys()) {
      if (this.sent.size <= NAMES_MAX) break
      this.sent.delete(name)
    }
    this.post({ op, id: this.comm_id, message, data, target: this.target_name, metadata: metadata ?? {}, buffers: (buffers ?? []).map(copied) })
    return message
  }
}

function copied(buffer: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  const { buffer: whole, byteOffset: from, byteLength: length } = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer)
  return whole.slice(from, from + length) as ArrayBuffer
}
