/** The wire to one terminal: what is printed comes in order and once, whatever happens to the connection. */
import { t } from '../../i18n'
import { Link, type MakeSocket, type Socket } from '../../room/link'

export type LineState =
  | { readonly is: 'connecting' | 'open' | 'again' }
  /** `code` is null when nobody knows how it ended. */
  | { readonly is: 'exited'; readonly code: number | null }
  | { readonly is: 'refused'; readonly why: string }

export interface LineEvents {
  printed(data: Uint8Array): void
  /** So many bytes were printed that nobody keeps any more. */
  missed(bytes: number): void
  turned(state: LineState): void
}

const HEADER_BYTES = 8
const INPUT_CHARACTERS_MAX = 32 * 1024
/** What is typed while there is no connection waits for it, up to this. */
const WAITING_CHARACTERS_MAX = 4096

export class Line {
  private readonly link: Link
  /** The offset of the next byte; null before the first. */
  private next: number | null = null
  private size: { readonly rows: number; readonly cols: number } | null = null
  private waiting = ''
  private state: LineState = { is: 'connecting' }

  constructor(url: string, private readonly events: LineEvents, make: MakeSocket = (url) => new WebSocket(url) as unknown as Socket) {
    this.link = new Link(
      url,
      {
        opened: () => this.opened(),
        text: (message) => this.told(message),
        bytes: (message) => this.printed(message),
        closed: (code, reason) => this.closed(code, reason),
      },
      (url) => make(`${url}?since=${this.next ?? 0}`),
    )
    globalThis.addEventListener?.('online', this.link.hurry)
    this.link.open()
  }

  /** Go away; the terminal goes on. */
  close(): void {
    globalThis.removeEventListener?.('online', this.link.hurry)
    this.link.close()
  }

  type(text: string): void {
    if (this.state.is === 'exited' || this.state.is === 'refused') return
    if (this.state.is !== 'open' || !this.put(text)) this.waiting = (this.waiting + text).slice(0, WAITING_CHARACTERS_MAX)
  }

  resize(rows: number, cols: number): void {
    if (this.size?.rows === rows && this.size.cols === cols) return
    this.size = { rows, cols }
    if (this.state.is === 'open') this.sendSize()
  }

  private put(text: string): boolean {
    for (let at = 0; at < text.length; ) {
      let end = Math.min(text.length, at + INPUT_CHARACTERS_MAX)
      // No character is cut in two.
      if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1]!)) end -= 1
      if (!this.link.send(JSON.stringify({ type: 'input', data: text.slice(at, end) }))) return at > 0
      at = end
    }
    return true
  }

  private sendSize(): void {
    if (this.size) this.link.send(JSON.stringify({ type: 'resize', ...this.size }))
  }

  private opened(): void {
    this.turn({ is: 'open' })
    this.sendSize()
    const { waiting } = this
    this.waiting = ''
    if (waiting !== '') this.put(waiting)
  }

  private printed(message: Uint8Array): void {
    if (message.length < HEADER_BYTES) return
    this.link.settled()
    const offset = Number(new DataView(message.buffer, message.byteOffset).getBigUint64(0))
    const data = message.subarray(HEADER_BYTES)
    const expected = this.next ?? offset
    if (offset > expected) this.events.missed(offset - expected)
    const known = Math.max(0, expected - offset)
    if (known >= data.length) return
    this.next = offset + data.length
    this.events.printed(data.subarray(known))
  }

  private told(message: unknown): void {
    if (typeof message !== 'object' || message === null || (message as { type?: unknown }).type !== 'exited') return
    const { code } = message as { code?: unknown }
    this.turn({ is: 'exited', code: typeof code === 'number' ? code : null })
  }

  private closed(code: number, reason: string): 'again' | 'later' | 'never' {
    if (this.state.is === 'exited') return 'never'
    switch (code) {
      case 4404:
        // It ended while nobody looked.
        this.turn({ is: 'exited', code: null })
        return 'never'
      case 4400:
      case 4401:
      case 4403:
        this.turn({ is: 'refused', why: reason || t('The terminal may not be used any more.') })
        return 'never'
      default:
        this.turn({ is: 'again' })
        return code === 4429 ? 'later' : 'again'
    }
  }

  private turn(state: LineState): void {
    this.state = state
    this.events.turned(state)
  }
}
