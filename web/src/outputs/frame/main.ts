/** The inside of an output frame: draws a cell's outputs, scripts and all, in an origin that is nobody's. */
import '@fontsource-variable/google-sans-flex'
import '@fontsource-variable/google-sans-code'
import '../../tokens.css'
import '../text.css'
import './frame.css'
import { answered, connect } from './calls'
import { draw, prelude } from './draw'
import { heed, listen } from './keys'
import { heard } from './later'
import { ADDRESS, HELLO, type Network, PORT, type ToFrame } from './wire'
import { begins, connectWork, rests } from './work'
import type { Output } from '../../model/wire'

const root = document.getElementById('out') as HTMLElement
let port: MessagePort | null = null

function setTheme(theme: string): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
}

interface Box {
  readonly element: HTMLElement
  readonly output: Output
}
let boxes: Box[] = []
let turn: Promise<unknown> = Promise.resolve()
const done = new Set<string>()

async function render(from: number, outputs: readonly Output[], preludes: readonly string[]): Promise<void> {
  for (const script of preludes) {
    if (done.has(script)) continue
    done.add(script)
    await prelude(script, root)
  }
  for (const { element } of boxes.splice(from)) element.remove()
  for (const output of outputs) {
    const element = document.createElement('div')
    element.className = 'out'
    root.append(element)
    boxes.push({ element, output })
    begins()
    try {
      await draw(output, element)
    } catch (error) {
      const note = document.createElement('pre')
      note.className = 'failed'
      note.textContent = `This output could not be shown: ${error instanceof Error ? error.message : String(error)}`
      element.append(note)
    }
  }
}

function receive(message: ToFrame): void {
  switch (message.kind) {
    case 'render':
      wanted += 1
      turn = turn.then(() => render(message.from, message.outputs, message.preludes)).finally(() => {
        drawn += 1
        if (drawn === wanted) rests()
        tellHeight()
      })
      break
    case 'theme':
      setTheme(message.theme)
      break
    case 'widgets':
      turn = turn.then(() => heard(message.items))
      break
    case 'keys':
      heed(message.keys)
      break
    case 'answer':
      answered(message)
      break
    case 'ping':
      port?.postMessage({ kind: 'pong' })
      break
    default:
      message satisfies never
  }
}

/** How many drawings were asked for and how many are done; before the first, everything is still to come. */
let wanted = 0
let drawn = 0
let told = ''
function tellHeight(): void {
  // Measured on the body: the root is as tall as the frame already is.
  const pixels = Math.ceil(Math.max(document.body.getBoundingClientRect().height, document.body.scrollHeight))
  const drawing = drawn < Math.max(1, wanted)
  const now = `${pixels} ${drawing}`
  if (now === told) return
  told = now
  port?.postMessage({ kind: 'height', pixels, drawing })
}

addEventListener('message', function greeted(event: MessageEvent) {
  if (event.source !== parent || event.data !== PORT || event.ports[0] === undefined) return
  removeEventListener('message', greeted)
  port = event.ports[0]
  port.onmessage = ({ data }: MessageEvent<ToFrame>) => receive(data)
  connect((message) => port?.postMessage(message))
  connectWork((works) => port?.postMessage({ kind: 'works', works }))
  listen((wish) => port?.postMessage({ kind: 'key', wish }))
  new ResizeObserver(tellHeight).observe(document.body)
})

const network: Network = location.pathname === ADDRESS.closed ? 'closed' : 'open'

if (network === 'closed') {
  const told = new Set<string>()
  const refused = (address: string) => {
    const host = hostOf(address)
    if (host === null || told.has(host)) return
    told.add(host)
    port?.postMessage({ kind: 'refused', host })
  }
  document.addEventListener('securitypolicyviolation', ({ blockedURI }) => refused(blockedURI))
  // A link would lead nowhere from here; the page offers to open the network instead.
  addEventListener('click', ({ target }) => {
    const link = target instanceof Element ? target.closest('a[href]') : null
    if (link) refused((link as HTMLAnchorElement).href)
  })
}

function hostOf(address: string): string | null {
  try {
    const { protocol, host } = new URL(address)
    return /^(?:https?|wss?):$/.test(protocol) && host !== location.host ? host : null
  } catch {
    // A word such as `inline` or `eval`, which names no place.
    return null
  }
}

setTheme(location.hash.slice(1))
parent.postMessage(HELLO[network], '*')
