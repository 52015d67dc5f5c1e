// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { likeliest, LOOKS_FIRST_MAX, LOOKS_MAX, type Silence, Watch } from './silence'

const LOOK_MS = 2000
const LOOKS_CERTAIN = LOOKS_FIRST_MAX + 1

test('the one to blame works, or a person just used it, or it ran something last', () => {
  const quiet = { works: false, focused: false, at: 5 }
  const [used, working, later] = [{ ...quiet, focused: true, at: 1 }, { ...quiet, works: true, at: 2 }, { ...quiet, works: true, at: 3 }]

  expect(likeliest([quiet, { ...quiet, at: 4 }])).toBe(quiet)
  expect(likeliest([quiet, used])).toBe(used)
  expect(likeliest([used, working, quiet])).toBe(working)
  expect(likeliest([later, working])).toBe(later)
  expect(likeliest([])).toBeNull()
})

describe('a frame', () => {
  const made: Frame[] = []
  let visible = true

  /** A frame that answers at once, unless the process of all of them is stuck. */
  class Frame {
    static stuck = false
    readonly element = document.body.appendChild(document.createElement('iframe'))
    near = true
    greeted = true
    told: Silence | null = null
    /** With the frames the process goes that was stuck. */
    readonly again = vi.fn(() => {
      Frame.stuck = false
    })
    readonly watch = new Watch({
      element: this.element,
      near: () => this.near,
      ask: () => {
        if (!Frame.stuck && this.greeted) this.watch.heard()
        return this.greeted
      },
      tell: (silence) => {
        this.told = silence
      },
      again: this.again,
    })

    constructor() {
      made.push(this)
    }

    leave(): void {
      this.watch.end()
      this.element.remove()
    }
  }

  const looks = (count: number) => vi.advanceTimersByTime(count * LOOK_MS)

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => (visible ? 'visible' : 'hidden'))
    Frame.stuck = false
    visible = true
  })

  afterEach(() => {
    for (const frame of made.splice(0)) frame.leave()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  test('that answers is left alone', () => {
    const frame = new Frame()
    looks(100)

    expect(frame.told).toBeNull()
  })

  test('that began to run something is blamed for the silence of all, and stays it', () => {
    const [drawn, looping, waiting] = [new Frame(), new Frame(), new Frame()]
    for (const one of [drawn, waiting]) {
      one.watch.working(true)
      one.watch.working(false)
    }
    looping.watch.working(true)
    Frame.stuck = true
    looks(LOOKS_MAX - 1)
    expect(made.map((one) => one.told)).toEqual([null, null, null])

    looks(2)
    expect(made.map((one) => one.told)).toEqual(['another', 'itself', 'another'])
    drawn.element.focus()
    looks(10)
    expect(made.map((one) => one.told)).toEqual(['another', 'itself', 'another'])
  })

  test('that answers after all is not blamed any more', () => {
    const frame = new Frame()
    Frame.stuck = true
    looks(LOOKS_CERTAIN)
    expect(frame.told).toBe('itself')
    Frame.stuck = false
    looks(1)

    expect(frame.told).toBeNull()
  })

  test('out of sight is not asked, but may be the one to blame', () => {
    const [far, near] = [new Frame(), new Frame()]
    far.near = false
    far.watch.working(true)
    Frame.stuck = true
    looks(LOOKS_CERTAIN)
    expect([far.told, near.told]).toEqual(['itself', 'another'])

    Frame.stuck = false
    near.near = false
    looks(LOOKS_CERTAIN)
    Frame.stuck = true
    looks(LOOKS_CERTAIN)
    expect([far.told, near.told]).toEqual([null, null])
  })

  test('that has not greeted is given longer', () => {
    const frame = new Frame()
    frame.greeted = false
    looks(LOOKS_FIRST_MAX)
    expect(frame.told).toBeNull()
    looks(2)

    expect(frame.told).toBe('itself')
  })

  test('is not blamed for what the page missed while it was busy, asleep or hidden', () => {
    const frame = new Frame()
    Frame.stuck = true
    let slept = 0
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + slept)
    for (let at = 0; at < LOOKS_CERTAIN; at += 1) {
      slept += 60_000
      looks(1)
    }
    expect(frame.told).toBeNull()

    visible = false
    looks(LOOKS_CERTAIN)
    expect(frame.told).toBeNull()
  })

  test('that is blamed and leaves lets the others begin again', () => {
    const [looping, sane] = [new Frame(), new Frame()]
    looping.watch.working(true)
    Frame.stuck = true
    looks(LOOKS_CERTAIN)
    looping.leave()

    expect(sane.again).toHaveBeenCalledOnce()
    expect(looping.again).not.toHaveBeenCalled()
  })

  test('that left while it ran something is blamed, and nobody who is still there', () => {
    const [looping, sane] = [new Frame(), new Frame()]
    looping.watch.working(true)
    Frame.stuck = true
    looping.leave()
    looks(LOOKS_CERTAIN)

    expect(sane.told).toBeNull()
    expect(sane.again).toHaveBeenCalledOnce()
  })

  test('that left while it ran something is forgotten as soon as another one answers', () => {
    const [left, stuck] = [new Frame(), new Frame()]
    left.watch.working(true)
    left.leave()
    looks(1)
    Frame.stuck = true
    looks(LOOKS_CERTAIN)

    expect(stuck.told).toBe('itself')
    expect(stuck.again).not.toHaveBeenCalled()
  })
})
