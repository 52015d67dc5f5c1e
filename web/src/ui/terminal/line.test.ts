import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Socket } from '../../room/link'
import { Line, type LineState } from './line'

class FakeSocket implements Socket {
  static all: FakeSocket[] = []
  binaryType = 'blob'
  readyState = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  readonly sent: unknown[] = []

  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }
  send(data: string | Uint8Array): void {
    this.sent.push(JSON.parse(data as string))
  }
  open(): void {
    this.readyState = 1
    this.onopen?.({} as never)
  }
  close(code = 1000, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason } as never)
  }
  prints(offset: number, text: string): void {
    const data = new TextEncoder().encode(text)
    const message = new Uint8Array(8 + data.length)
    new DataView(message.buffer).setBigUint64(0, BigInt(offset))
    message.set(data, 8)
    this.onmessage?.({ data: message.buffer } as never)
  }
  tells(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never)
  }
}

const latest = () => FakeSocket.all.at(-1)!
let screen = ''
let states: LineState[] = []

function connected(): Line {
  const line = new Line(
    'ws://here/socket',
    {
      printed: (data) => (screen += new TextDecoder().decode(data)),
      missed: (bytes) => (screen += `<${bytes} missed>`),
      turned: (state) => states.push(state),
    },
    (url) => new FakeSocket(url),
  )
  latest().open()
  return line
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
  screen = ''
  states = []
})
afterEach(() => vi.useRealTimers())

/** The connection is cut, and comes back after its wait. */
function cut(code = 1006): void {
  const before = latest()
  before.close(code)
  vi.runOnlyPendingTimers()
  expect(latest()).not.toBe(before)
  latest().open()
}

test('a terminal that was cut off goes on where it was, with nothing twice', () => {
  connected()
  latest().prints(0, 'one ')
  latest().prints(4, 'two ')
  cut()
  expect(latest().url).toBe('ws://here/socket?since=8')
  latest().prints(4, 'two three')
  latest().prints(8, 'three')

  expect(screen).toBe('one two three')
  expect(states.map(({ is }) => is)).toEqual(['open', 'again', 'open'])
})

test('what nobody keeps any more is named', () => {
  connected()
  latest().prints(1000, 'late ')
  latest().prints(1500, 'later')

  expect(screen).toBe('late <495 missed>later')
})

test('the size is told again, and what was typed meanwhile arrives', () => {
  const line = connected()
  line.resize(10, 40)
  line.resize(10, 40)
  latest().close(1012)
  line.type('ls')
  line.type('\r')
  vi.runOnlyPendingTimers()
  latest().open()

  expect(FakeSocket.all[0]!.sent).toEqual([{ type: 'resize', rows: 10, cols: 40 }])
  expect(latest().sent).toEqual([{ type: 'resize', rows: 10, cols: 40 }, { type: 'input', data: 'ls\r' }])
})

test('a long paste goes in pieces that cut no character in two', () => {
  const line = connected()
  const text = `x${'🙂'.repeat(40_000)}`
  line.type(text)
  const pieces = latest().sent.map((frame) => (frame as { data: string }).data)

  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
  expect(pieces.join('')).toBe(text)
})

test('a shell that ended is not asked for again', () => {
  connected()
  latest().tells({ type: 'exited', code: 3 })
  latest().close(1000)
  vi.runAllTimers()

  expect(states.at(-1)).toEqual({ is: 'exited', code: 3 })
  expect(FakeSocket.all).toHaveLength(1)
})

test('one that is gone, and one that may not be seen, are not asked for again', () => {
  connected()
  latest().close(4404)
  expect(states.at(-1)).toEqual({ is: 'exited', code: null })
  connected()
  latest().close(4403, 'Withdrawn.')
  vi.runAllTimers()

  expect(states.at(-1)).toEqual({ is: 'refused', why: 'Withdrawn.' })
  expect(FakeSocket.all).toHaveLength(2)
})

test('frames that are no terminal’s are left alone', () => {
  connected()
  latest().onmessage?.({ data: new Uint8Array(3).buffer } as never)
  latest().tells(null)
  latest().tells({ type: 'exited?' })

  expect(screen).toBe('')
  expect(states).toEqual([{ is: 'open' }])
})
