// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from 'vitest'
import { HEIGHT_MAX, OutputFrame, type Methods } from './host'
import { HELLO, type Network, PORT } from './wire'

let frame: OutputFrame

/** A frame in the page, and a stand-in for the window inside it. */
function opened(methods: Methods = {}, network: Network = 'open') {
  frame = new OutputFrame('Output', 'dark', methods, network)
  const posted: { message: unknown; ports: readonly MessagePort[] }[] = []
  const inside = { postMessage: (message: unknown, _target: string, ports: readonly MessagePort[]) => posted.push({ message, ports }) }
  Object.defineProperty(frame.element, 'contentWindow', { value: inside })
  const greet = (source: unknown, data: unknown = HELLO[network]) => {
    const event = new MessageEvent('message', { data })
    Object.defineProperty(event, 'source', { value: source })
    dispatchEvent(event)
  }
  return { inside, posted, greet }
}

async function answered(port: MessagePort, message: unknown): Promise<unknown> {
  const answer = new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data)
  })
  port.postMessage(message)
  return answer
}

afterEach(() => frame.close())

describe('an output frame', () => {
  test('has no origin, no referrer, and no way to the page but its port', () => {
    opened()
    const sandbox = frame.element.getAttribute('sandbox') ?? ''

    expect(sandbox).toContain('allow-scripts')
    expect(sandbox).not.toMatch(/allow-same-origin|allow-top-navigation/)
    expect(frame.element.getAttribute('referrerpolicy')).toBe('no-referrer')
    expect(frame.element.getAttribute('src')).toBe('/output.html#dark')
  })

  test('that is closed may run scripts and nothing else', () => {
    opened({}, 'closed')

    expect(frame.element.getAttribute('sandbox')).toBe('allow-scripts')
    expect(frame.element.getAttribute('allow')).toBe('')
    expect(frame.element.getAttribute('src')).toBe('/output-closed.html#dark')
  })

  test('that was closed and went to the open address is told nothing there', () => {
    const { inside, posted, greet } = opened({}, 'closed')
    greet(inside, HELLO.open)
    expect(posted).toHaveLength(0)

    greet(inside, HELLO.closed)
    expect(posted).toHaveLength(1)
  })

  test('is given a port only when it is the one that greets', () => {
    const { inside, posted, greet } = opened()
    greet(window)
    greet(null)
    greet(inside, 'something else')
    expect(posted).toHaveLength(0)

    greet(inside)
    expect(posted[0]?.message).toBe(PORT)
    expect(posted[0]?.ports).toHaveLength(1)
  })

  test('may call what the table holds, and nothing else', async () => {
    const { inside, posted, greet } = opened({ double: async (number) => Number(number) * 2 })
    greet(inside)
    const port = posted[0]?.ports[0] as MessagePort

    expect(await answered(port, { kind: 'call', call: 1, method: 'double', args: [4] })).toEqual({ kind: 'answer', call: 1, value: 8 })
    for (const method of ['constructor', '__proto__', 'toString', 'fetch'])
      expect(await answered(port, { kind: 'call', call: 2, method, args: [] })).toMatchObject({ kind: 'answer', error: expect.stringContaining('no method') })
  })

  test('is as tall as it says, within reason', async () => {
    const { inside, posted, greet } = opened()
    const heights: (number | string)[] = []
    frame.onHeight = (pixels, drawing) => heights.push(drawing ? `${pixels} so far` : pixels)
    greet(inside)
    const port = posted[0]?.ports[0] as MessagePort
    port.postMessage({ kind: 'height', pixels: 40, drawing: true })
    for (const pixels of [120.4, 1e9, -5, Number.NaN, 'x']) port.postMessage({ kind: 'height', pixels })
    for (const odd of [null, 7, { kind: 'else' }, []]) port.postMessage(odd)

    await vi.waitFor(() => expect(heights).toEqual(['40 so far', 121, HEIGHT_MAX, 0]))
  })

  test('is heard of keys only while it has the keyboard, in few words', async () => {
    const { inside, posted, greet } = opened()
    document.body.append(frame.element)
    const wishes: string[] = []
    frame.onKey = (wish) => wishes.push(wish)
    greet(inside)
    const port = posted[0]?.ports[0] as MessagePort
    const has = vi.spyOn(document, 'activeElement', 'get').mockReturnValue(document.body)
    vi.spyOn(document, 'hasFocus').mockReturnValue(true)
    const heights: number[] = []
    frame.onHeight = (pixels) => heights.push(pixels)
    port.postMessage({ kind: 'key', wish: 'back' })
    port.postMessage({ kind: 'height', pixels: 1 })
    await vi.waitFor(() => expect(heights).toEqual([1]))
    expect(wishes).toEqual([])

    has.mockReturnValue(frame.element)
    for (const wish of ['back', 7, 'x'.repeat(500)]) port.postMessage({ kind: 'key', wish })
    await vi.waitFor(() => expect(wishes).toEqual(['back', '7', 'x'.repeat(80)]))
    vi.restoreAllMocks()
  })

  test('that loads again is told everything again, over a new port', () => {
    const { inside, posted, greet } = opened()
    let ready = 0
    frame.onReady = () => {
      ready += 1
    }
    greet(inside)
    greet(inside)

    expect(ready).toBe(2)
    expect(posted).toHaveLength(2)
  })
})
