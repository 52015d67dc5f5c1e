/**
 * A cell that is nobody's but one's own: it is not in the notebook, and runs in its kernel. It speaks with the kernel
 * as any Jupyter client does (docs/reference/jupyter.md), so that colleagues neither see it nor get its outputs.
 */
import * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { t } from '../../i18n'
import { reasonText } from '../../i18n/reasons'
import type { InputPrompt, Output } from '../../model/wire'
import type { Desk } from '../notebook/desk'
import { type Folded, folded, NONE } from './outputs'

export interface ScratchState {
  readonly run: string | null
  readonly state: 'idle' | 'connecting' | 'running' | 'finished' | 'failed'
  readonly outputs: readonly Output[]
  readonly asked: InputPrompt | null
  /** Why nothing ran. */
  readonly refused: string | null
}

interface Message {
  readonly channel?: string
  readonly header: { readonly msg_type: string; readonly msg_id: string }
  readonly parent_header?: { readonly msg_id?: string }
  readonly content: Readonly<Record<string, unknown>>
}

const KERNEL_WITHIN_MS = 120_000

export class Scratch {
  readonly text: Y.Text = new Y.Doc().getText()
  readonly state: StoreApi<ScratchState> = createStore<ScratchState>(() => ({ run: null, state: 'idle', outputs: [], asked: null, refused: null }))
  private readonly client = crypto.randomUUID?.() ?? String(Math.random())
  private socket: { readonly kernel: string; readonly line: WebSocket } | null = null
  private now: Folded = NONE
  private count = 0

  constructor(private readonly desk: Desk) {}

  async run(): Promise<void> {
    const run = `${this.client}-${++this.count}`
    this.now = NONE
    this.state.setState({ run, state: 'connecting', outputs: [], asked: null, refused: null })
    try {
      const line = await this.connected(await this.kernel())
      this.state.setState({ state: 'running' })
      this.send(line, 'shell', 'execute_request', run, { code: this.text.toString(), silent: false, store_history: false, user_expressions: {}, allow_stdin: true, stop_on_error: false })
    } catch (cause) {
      this.state.setState({ state: 'failed', refused: cause instanceof Error ? cause.message : String(cause) })
    }
  }

  answer(value: string): void {
    this.state.setState({ asked: null })
    if (this.socket) this.send(this.socket.line, 'stdin', 'input_reply', `${this.client}-i${++this.count}`, { value, status: 'ok' })
  }

  clear(): void {
    this.text.delete(0, this.text.length)
    this.now = NONE
    this.state.setState({ run: null, state: 'idle', outputs: [], asked: null, refused: null })
  }

  close(): void {
    this.socket?.line.close()
  }

  /** The kernel's id; asks for a runtime first where there is none. */
  private kernel(): Promise<string> {
    const { session } = this.desk
    const here = () => {
      const { kernel, runtime } = session.state.getState()
      return kernel && runtime?.state === 'ready' && (kernel.state === 'idle' || kernel.state === 'busy') ? kernel.id : null
    }
    const known = here()
    if (known !== null) return Promise.resolve(known)
    if (!session.state.getState().runtime) session.connect()
    return new Promise((found, failed) => {
      const over = () => {
        clearTimeout(timer)
        stop()
      }
      const timer = setTimeout(() => (over(), failed(new Error(t('No kernel came to run it.')))), KERNEL_WITHIN_MS)
      const stop = session.state.subscribe((state) => {
        const kernel = here()
        if (kernel !== null) return over(), found(kernel)
        if (state.gone) over(), failed(new Error(reasonText(state.gone) ?? t('There is no runtime.')))
      })
    })
  }

  private connected(kernel: string): Promise<WebSocket> {
    if (this.socket?.kernel === kernel && this.socket.line.readyState === WebSocket.OPEN) return Promise.resolve(this.socket.line)
    this.socket?.line.close()
    const line = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/jupyter/api/kernels/${asUuid(kernel)}/channels?session_id=${this.client}`)
    this.socket = { kernel, line }
    return new Promise((opened, failed) => {
      line.onopen = () => opened(line)
      line.onmessage = ({ data }) => typeof data === 'string' && this.heard(JSON.parse(data) as Message)
      line.onclose = () => {
        failed(new Error(t('A scratch cell runs only in a runtime of your own. This notebook’s runtime was started by somebody else.')))
        if (this.state.getState().state === 'running') this.state.setState({ state: 'failed', asked: null, refused: t('The connection to the kernel was lost.') })
      }
    })
  }

  private send(line: WebSocket, channel: string, type: string, id: string, content: object): void {
    const header = { msg_id: id, msg_type: type, session: this.client, username: '', date: new Date().toISOString(), version: '5.3' }
    line.send(JSON.stringify({ channel, header, parent_header: {}, metadata: {}, content, buffers: [] }))
  }

  private heard({ channel, header, parent_header, content }: Message): void {
    const { run } = this.state.getState()
    if (run === null || parent_header?.msg_id !== run) return
    if (channel === 'iopub') {
      const next = folded(this.now, header.msg_type, content)
      if (next !== this.now) this.state.setState({ outputs: (this.now = next).outputs })
    } else if (header.msg_type === 'input_request') this.state.setState({ asked: { prompt: String(content['prompt'] ?? ''), password: content['password'] === true } })
    else if (header.msg_type === 'execute_reply') this.state.setState({ state: content['status'] === 'ok' ? 'finished' : 'failed', asked: null })
  }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** An id of ours in the form of a UUID, by which the Jupyter API knows it. */
export function asUuid(id: string): string {
  const number = [...id].reduce((sum, letter) => sum * BigInt(ALPHABET.length) + BigInt(ALPHABET.indexOf(letter)), 0n)
  return number.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const scratches = new WeakMap<Desk, Scratch>()

/** The scratch cell of an open notebook: its text stays while the page does. */
export function scratchOf(desk: Desk): Scratch {
  const known = scratches.get(desk) ?? new Scratch(desk)
  scratches.set(desk, known)
  return known
}
