/** One WebSocket that comes back: after waits that grow and are spread by chance, so that a thousand tabs do not come at once. */

/** The part of a WebSocket that is used, so that tests can hand in their own. */
export interface Socket {
  binaryType: string
  readonly readyState: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}
export type MakeSocket = (url: string) => Socket

export interface LinkEvents {
  opened(): void
  text(message: unknown): void
  bytes(message: Uint8Array): void
  /** Whether to come back: at once or later, or not at all. */
  closed(code: number, reason: string): 'again' | 'later' | 'never'
}

const WAIT_FIRST_MS = 200
const WAIT_MAX_MS = 10_000
const WAIT_LATER_MS = 5_000
/** A network that swallows everything says nothing for minutes. */
const CONNECT_MAX_MS = 15_000
const OPEN = 1

export class Link {
  private socket: Socket | null = null
  private timer: ReturnType<typeof setTimeout> | null = null
  private attempts = 0
  private stopped = false

  constructor(
    private readonly url: string,
    private readonly events: LinkEvents,
    private readonly make: MakeSocket = (url) => new WebSocket(url) as unknown as Socket,
  ) {}

  open(): void {
    if (this.stopped || this.socket) return
    this.rest()
    const socket = this.make(this.url)
    this.socket = socket
    socket.binaryType = 'arraybuffer'
    this.timer = setTimeout(() => this.renew(), CONNECT_MAX_MS)
    socket.onopen = () => {
      if (this.socket !== socket) return
      this.rest()
      this.events.opened()
    }
    socket.onmessage = (event: { data: string | ArrayBuffer }) => {
      if (this.socket !== socket) return
      if (typeof event.data === 'string') this.events.text(JSON.parse(event.data))
      else this.events.bytes(new Uint8Array(event.data))
    }
    socket.onclose = (event: { code: number; reason: string }) => {
      if (this.socket !== socket) return
      this.rest()
      this.socket = null
      this.again(this.stopped ? 'never' : this.events.closed(event.code, event.reason))
    }
  }

  /** The conversation works: the next wait is short again. */
  settled(): void {
    this.attempts = 0
  }

  /** The network is said to be back: do not wait any longer. */
  readonly hurry = (): void => {
    this.attempts = 0
    this.open()
  }

  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.socket?.readyState !== OPEN) return false
    this.socket.send(data)
    return true
  }

  /** Leave this connection and come back with a new one. */
  renew(): void {
    const socket = this.socket
    if (!socket) return
    this.rest()
    this.socket = null
    socket.close(1000)
    this.again(this.events.closed(1000, 'renewed'))
  }

  close(): void {
    this.stopped = true
    this.rest()
    this.socket?.close(1000)
    this.socket = null
  }

  private again(when: 'again' | 'later' | 'never'): void {
    if (when === 'never' || this.stopped) return
    const grown = Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** this.attempts++)
    const wait = (when === 'later' ? WAIT_LATER_MS : 0) + Math.random() * grown
    this.timer = setTimeout(() => this.open(), wait)
  }

  private rest(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }
}
