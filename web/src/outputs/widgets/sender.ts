/** What frames say to comms, gathered into few messages and bounded: a widget that never stops talking is cut short. */
import { t } from '../../i18n'
import type { CommMessage } from '../../model/wire'
import type { Around } from './around'
import type { Contents } from './contents'

/** The server takes so many messages a second; what comes in between goes together. */
const EVERY_MS = 40
const TOGETHER_MAX = 64
const WAITING_MAX = 1000
const WAITING_BYTES_MAX = 64 * 1024 * 1024
const INLINE_BYTES_MAX = 256 * 1024
const FRAME_CHARACTERS_MAX = 2 * 1024 * 1024
const NAME_CHARACTERS_MAX = 100
const ID_CHARACTERS_MAX = 200

export interface Said {
  readonly op: 'open' | 'msg' | 'close'
  readonly id: string
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
  readonly target: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly buffers: readonly ArrayBuffer[]
  readonly execution: string
}

export class Sender {
  private readonly waiting: { readonly message: CommMessage; readonly size: number }[] = []
  private bytes = 0
  private timer: ReturnType<typeof setTimeout> | null = null
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly around: Around,
    private readonly contents: Contents,
    private readonly refuse: (message: string, why: string) => void,
  ) {}

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer)
  }

  /** A stranger wrote it. Throws if it cannot be sent. */
  parsed(sent: unknown, execution: string | null): Said {
    const { op, id, message, data, target, metadata, buffers } = (sent ?? {}) as Partial<Said>
    const known = op === 'open' || op === 'msg' || op === 'close'
    const named = isName(id, ID_CHARACTERS_MAX) && isName(message, NAME_CHARACTERS_MAX)
    if (execution === null || !known || !named || !isObject(data)) throw new Error(t('This cannot be sent to the kernel.'))
    if (!this.around.mayRun()) throw new Error(t('You may look at this widget, and not move it.'))
    if (this.waiting.length >= WAITING_MAX || this.bytes > WAITING_BYTES_MAX) throw new Error(t('This widget sends more than the kernel can take.'))
    const held = Array.isArray(buffers) ? buffers.filter((buffer) => buffer instanceof ArrayBuffer) : []
    return { op, id, message, data, target: typeof target === 'string' ? target.slice(0, ID_CHARACTERS_MAX) : '', metadata: isObject(metadata) ? metadata : {}, buffers: held, execution }
  }

  /** In the order of the calls, also when what is large takes a while. */
  send(said: Said): Promise<void> {
    const size = said.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)
    this.bytes += size
    const sent = this.turn.then(async () => {
      try {
        const { buffers, ...rest } = said
        const message = { ...rest, buffers: await Promise.all(buffers.map((buffer) => this.packed(buffer))) }
        this.waiting.push({ message, size: JSON.stringify(message).length })
      } finally {
        this.bytes -= size
      }
      if (this.timer === null) this.flush()
    })
    this.turn = sent.catch(() => undefined)
    return sent
  }

  private async packed(buffer: ArrayBuffer): Promise<string | { readonly uploaded: string }> {
    return buffer.byteLength > INLINE_BYTES_MAX ? { uploaded: await this.contents.upload(buffer) } : base64(new Uint8Array(buffer))
  }

  private readonly flush = (): void => {
    this.timer = null
    const messages: CommMessage[] = []
    let size = 0
    for (let next = this.waiting[0]; next !== undefined && messages.length < TOGETHER_MAX; next = this.waiting[0]) {
      if (messages.length > 0 && size + next.size > FRAME_CHARACTERS_MAX) break
      messages.push(next.message)
      size += next.size
      this.waiting.shift()
    }
    if (messages.length === 0) return
    this.timer = setTimeout(this.flush, EVERY_MS)
    if (this.around.wire.send({ type: 'comms', messages })) return
    for (const { message } of messages) this.refuse(message, t('There is no connection to the server now.'))
  }
}

const isName = (value: unknown, most: number): value is string => typeof value === 'string' && value.length > 0 && value.length <= most
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}
