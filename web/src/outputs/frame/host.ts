/** The page's side of an output frame. */
import { ADDRESS, type FromFrame, HELLO, type Network, PORT, SANDBOX, type ToFrame } from './wire'

/** What a frame may ask of the page. It has no credential and no origin: this table is all its authority. */
export type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>

export const HEIGHT_MAX = 6000
const HOST_CHARACTERS_MAX = 100
const WISH_CHARACTERS_MAX = 80

export class OutputFrame {
  readonly element = document.createElement('iframe')
  private port: MessagePort | null = null
  /** The frame is listening, for the first time or, after it was loaded anew, again: nothing is drawn in it. */
  onReady: () => void = () => {}
  /** While it draws, a height is only what it has come to so far. */
  onHeight: (pixels: number, drawing: boolean) => void = () => {}
  /** A closed frame wanted something of this host. */
  onRefused: (host: string) => void = () => {}
  /** It says that a key was pressed in it; it does have the keyboard. That a person pressed something cannot be seen from here. */
  onKey: (wish: string) => void = () => {}
  /** It said anything at all, so it is alive. */
  onHeard: () => void = () => {}
  /** It says that it begins to run something foreign, or that it has ended. */
  onWorks: (works: boolean) => void = () => {}

  constructor(
    label: string,
    theme: 'light' | 'dark',
    private readonly methods: Methods,
    private readonly network: Network = 'open',
  ) {
    const frame = this.element
    frame.title = label
    frame.setAttribute('sandbox', SANDBOX[network])
    frame.setAttribute('allow', network === 'open' ? 'fullscreen; clipboard-write' : '')
    frame.setAttribute('referrerpolicy', 'no-referrer')
    frame.className = 'output-frame'
    frame.src = `${ADDRESS[network]}#${theme}`
    addEventListener('message', this.greet)
  }

  /** After this the element may leave the page. */
  close(): void {
    removeEventListener('message', this.greet)
    this.port?.close()
    this.port = null
    this.element.remove()
  }

  /** Before the frame is ready this does nothing; `onReady` sends what there is. */
  post(message: ToFrame): void {
    this.port?.postMessage(message)
  }

  /** `onHeard` tells of the answer. False: the frame has not greeted yet. */
  ping(): boolean {
    this.post({ kind: 'ping' })
    return this.port !== null
  }

  private readonly greet = (event: MessageEvent): void => {
    if (event.source === null || event.source !== this.element.contentWindow || event.data !== HELLO[this.network]) return
    // A frame that loads again greets again, and gets a new port; the old one leads nowhere.
    this.port?.close()
    const channel = new MessageChannel()
    this.port = channel.port1
    this.port.onmessage = ({ data }: MessageEvent<FromFrame>) => this.receive(data)
    // An opaque origin has no name, so '*' is the only target; the window itself is what was checked.
    this.element.contentWindow?.postMessage(PORT, '*', [channel.port2])
    this.onHeard()
    this.onReady()
  }

  private receive(message: FromFrame): void {
    this.onHeard()
    switch (message?.kind) {
      case 'height':
        if (Number.isFinite(message.pixels)) this.onHeight(Math.max(0, Math.min(HEIGHT_MAX, Math.ceil(message.pixels))), message.drawing === true)
        break
      case 'refused':
        this.onRefused(String(message.host).slice(0, HOST_CHARACTERS_MAX))
        break
      case 'key':
        if (document.activeElement === this.element && document.hasFocus()) this.onKey(String(message.wish).slice(0, WISH_CHARACTERS_MAX))
        break
      case 'works':
        this.onWorks(message.works === true)
        break
      case 'call':
        void this.answer(message.call, String(message.method), Array.isArray(message.args) ? message.args : [])
        break
      case 'pong':
        break
      default:
      // A stranger wrote it; what is not understood is not answered.
    }
  }

  private async answer(call: number, method: string, args: readonly unknown[]): Promise<void> {
    const known = Object.hasOwn(this.methods, method) ? this.methods[method] : undefined
    try {
      if (known === undefined) throw new Error(`there is no method ${method}`)
      this.post({ kind: 'answer', call, value: await known(...args) })
    } catch (error) {
      this.post({ kind: 'answer', call, error: error instanceof Error ? error.message : String(error) })
    }
  }
}
