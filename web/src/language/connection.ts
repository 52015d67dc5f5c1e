/** One conversation with a runtime's language server: questions with answers, and what it reports by itself. */
import type { MakeSocket, Socket } from '../room/link'

export interface ConnectionEvents {
  /** From now on it may be asked; its documents are called by this name. */
  opened(name: string): void
  published(uri: string, diagnostics: unknown): void
  /** It is over: `code` of the WebSocket, and why the server ended, if it said so. */
  closed(code: number, why: string | null): void
}

const ANSWER_WITHIN_MS = 8000
/** A fix may be found in any package that is installed. */
const FIX_WITHIN_MS = 30_000
const OPEN_WITHIN_MS = 40_000
const NAME = /^[0-9a-f]{1,64}$/
const OPEN = 1

export class Connection {
  private readonly socket: Socket
  private readonly asked = new Map<number, (answer: unknown) => void>()
  private numbers = 0
  private ready = false
  private why: string | null = null

  constructor(url: string, private readonly events: ConnectionEvents, make: MakeSocket = (url) => new WebSocket(url) as unknown as Socket) {
    const socket = (this.socket = make(url))
    const patience = setTimeout(() => socket.close(1000), OPEN_WITHIN_MS)
    socket.onmessage = (event: { data: unknown }) => {
      if (typeof event.data === 'string') this.heard(event.data)
      if (this.ready) clearTimeout(patience)
    }
    socket.onclose = (event: { code: number }) => {
      clearTimeout(patience)
      this.ready = false
      for (const answer of [...this.asked.values()]) answer(null)
      events.closed(event.code, this.why)
    }
  }

  get isOpen(): boolean {
    return this.ready && this.socket.readyState === OPEN
  }

  close(): void {
    this.socket.close(1000)
  }

  tell(method: string, params: unknown): void {
    if (this.isOpen) this.socket.send(JSON.stringify({ method, params }))
  }

  /** The answer, or null: there is none, it came too late, or nobody is there. */
  ask(method: string, params: unknown): Promise<unknown> {
    if (!this.isOpen) return Promise.resolve(null)
    const id = ++this.numbers
    return new Promise((done) => {
      const settle = (answer: unknown) => {
        clearTimeout(timer)
        this.asked.delete(id)
        done(answer)
      }
      const timer = setTimeout(() => {
        this.tell('$/cancelRequest', { id })
        settle(null)
      }, method === 'textDocument/codeAction' ? FIX_WITHIN_MS : ANSWER_WITHIN_MS)
      this.asked.set(id, settle)
      this.socket.send(JSON.stringify({ id, method, params }))
    })
  }

  private heard(data: string): void {
    const message = parsed(data)
    if (message === null) return
    if (!this.ready) {
      const { type, name } = message
      if (type !== 'opened' || typeof name !== 'string' || !NAME.test(name)) return
      this.ready = true
      this.events.opened(name)
    } else if (message.type === 'ended') {
      this.why = typeof message.why === 'string' ? message.why : null
    } else if (message.method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = (message.params ?? {}) as { uri?: unknown; diagnostics?: unknown }
      if (typeof uri === 'string') this.events.published(uri, diagnostics)
    } else if (typeof message.id === 'number') {
      this.asked.get(message.id)?.(message.result ?? null)
    }
  }
}

function parsed(data: string): Readonly<Record<string, unknown>> | null {
  try {
    const message: unknown = JSON.parse(data)
    return typeof message === 'object' && message !== null ? (message as Readonly<Record<string, unknown>>) : null
  } catch {
    // It is no message, and nobody waits for it.
    return null
  }
}
