// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from 'vitest'
import { guard, Judge, Thefts, theftOf } from './theft'

describe('a frame that has the keyboard', () => {
  const judge = (pressedAt: number | null, leads = false): Judge => {
    const made = new Judge()
    if (pressedAt !== null) made.pressed(pressedAt, leads)
    return made
  }

  test('took it if nobody pressed anything anywhere', () => {
    expect(judge(null).isTheft(100_000, false)).toBe(true)
    expect(judge(1000).isTheft(100_000, false)).toBe(true)
  })

  test('took it from who has just pressed something in the page', () => {
    expect(judge(1000).isTheft(1200, true)).toBe(true)
  })

  test('was clicked if the page heard nothing for a while', () => {
    expect(judge(1000).isTheft(1400, true)).toBe(false)
    expect(judge(1000).isTheft(7000, true)).toBe(false)
    expect(judge(null).isTheft(7000, true)).toBe(false)
  })

  test('was reached by Tab', () => {
    expect(judge(1000, true).isTheft(1010, true)).toBe(false)
  })

  test('has it of the page, as after a dialog', () => {
    const giving = judge(1000)
    giving.given(1010)

    expect(giving.isTheft(1020, true)).toBe(false)
    expect(giving.isTheft(100_000, false)).toBe(true)
  })
})

test('three times within ten seconds is too often', () => {
  const thefts = new Thefts()

  expect([0, 6000, 12_000, 13_000].map((at) => thefts.again(at))).toEqual([false, false, false, true])
})

describe('in the page', () => {
  const ends: (() => void)[] = []
  afterEach(() => {
    for (const end of ends.splice(0)) end()
    document.body.replaceChildren()
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  /** A field that has the keyboard, and a frame beside it. */
  function opened() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] })
    vi.stubGlobal('navigator', { userActivation: { isActive: true } })
    const field = document.body.appendChild(document.createElement('textarea'))
    const frame = document.body.appendChild(document.createElement('iframe'))
    const gone = vi.fn()
    ends.push(guard(frame, gone))
    field.focus()
    /** The frame's own script asks for the keyboard, of which the page hears this. */
    const takes = () => {
      HTMLElement.prototype.focus.call(frame)
      const blur = new Event('blur')
      dispatchEvent(blur)
      const theft = theftOf(blur)
      vi.runAllTimers()
      return theft
    }
    const press = (key: string) => {
      const event = new KeyboardEvent('keydown', { key, cancelable: true })
      document.body.dispatchEvent(event)
      dispatchEvent(event)
      return event
    }
    return { field, frame, gone, takes, press }
  }

  test('what was taken goes back, and who took it three times goes', () => {
    const { field, gone, takes, press } = opened()
    press('a')

    expect(takes()).toEqual({ from: field })
    expect(document.activeElement).toBe(field)
    expect(takes()).toEqual({ from: field })
    expect(gone).not.toHaveBeenCalled()
    expect(takes()).toEqual({ from: field })
    expect(gone).toHaveBeenCalledOnce()
    expect(document.activeElement).toBe(field)
  })

  test('what is taken while the frame is being put away goes back, too', () => {
    const { field, frame, press } = opened()
    press('a')
    HTMLElement.prototype.focus.call(frame)
    const blur = new Event('blur')
    dispatchEvent(blur)
    ends.splice(0).forEach((end) => end())
    frame.remove()
    vi.runAllTimers()

    expect(theftOf(blur)).toEqual({ from: field })
    expect(document.activeElement).toBe(field)
  })

  test('Tab leads into a frame, but not a Tab that indents', () => {
    const { frame, field, takes, press } = opened()
    press('Tab')
    expect(takes()).toBeNull()
    expect(document.activeElement).toBe(frame)

    field.focus()
    press('Tab').preventDefault()
    expect(takes()).toEqual({ from: field })
    expect(document.activeElement).toBe(field)
  })

  test('what the page gives a frame it keeps', () => {
    const { frame, press } = opened()
    press('Escape')
    frame.focus()
    const blur = new Event('blur')
    dispatchEvent(blur)

    expect(theftOf(blur)).toBeNull()
    expect(document.activeElement).toBe(frame)
  })
})
