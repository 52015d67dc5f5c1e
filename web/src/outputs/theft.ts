/**
 * Outputs that take the keyboard by themselves. A script in a frame may call `focus()` whenever it likes, and what
 * somebody writes in a cell then lands in it. No browser says why the keyboard went, so the page judges by what it knows:
 * a click in a frame is an activation of the page too, and nobody types in one place and clicks in another at once.
 */

/** Who pressed something in the page did not click elsewhere within this time. */
const PRESS_MS = 350
/** So often within this time, and the output goes. */
const TIMES_MAX = 3
const WITHIN_MS = 10_000
const AWAY_LOOK_MS = 500

/** Whether a frame that has the keyboard now took it, or was given it by a person. Times are of the page's clock, in milliseconds. */
export class Judge {
  private pressedAt = -Infinity
  private led = false
  private givenAt = -Infinity

  /** The page heard a key or a button of the mouse. `leads`: it is Tab, and nothing in the page had a use for it. */
  pressed(at: number, leads: boolean): void {
    this.pressedAt = at
    this.led = leads
  }

  /** The page itself put the keyboard into a frame. */
  given(at: number): void {
    this.givenAt = at
  }

  /** `active`: somebody pressed something in the page, or in any frame of it, not long ago. */
  isTheft(at: number, active: boolean): boolean {
    if (at - this.givenAt < PRESS_MS) return false
    if (!active) return true
    return at - this.pressedAt < PRESS_MS && !this.led
  }
}

/** The thefts of one frame. */
export class Thefts {
  private times: readonly number[] = []

  /** Counts one more, and says whether that was too often. */
  again(at: number): boolean {
    this.times = [...this.times.filter((time) => at - time < WITHIN_MS), at]
    return this.times.length >= TIMES_MAX
  }
}

/** `from`: what had the keyboard, and gets it back; null: nothing in particular. */
export interface Theft {
  readonly from: HTMLElement | null
}

interface Guarded {
  readonly thefts: Thefts
  readonly onTooOften: () => void
}

const guarded = new Map<Element, Guarded>()
let judge = new Judge()
/** Asked again when the keyboard goes: only then is it known whether something had a use for a Tab. */
let lastKey: KeyboardEvent | null = null
let left: { readonly element: EventTarget | null; readonly at: number } = { element: null, at: -Infinity }
let judged: { readonly event: Event; readonly theft: Theft | null } | null = null
let away: ReturnType<typeof setInterval> | undefined

/** Watches over a frame in the page; gives what ends it. `onTooOften`: it took the keyboard again and again. */
export function guard(frame: HTMLIFrameElement, onTooOften: () => void): () => void {
  frame.focus = (options) => {
    judge.given(performance.now())
    HTMLElement.prototype.focus.call(frame, options)
  }
  if (guarded.size === 0) listen()
  guarded.set(frame, { thefts: new Thefts(), onTooOften })
  return () => {
    guarded.delete(frame)
    if (guarded.size === 0) deafen()
  }
}

/** The theft, if one it is, of which the page's window tells with this `blur`. A moment later the keyboard is back. */
export function theftOf(event: Event): Theft | null {
  if (judged?.event !== event) judged = { event, theft: look() }
  return judged.theft
}

function look(): Theft | null {
  const frame = document.activeElement
  const found = frame && guarded.get(frame)
  if (!found) return null
  const now = performance.now()
  if (lastKey) judge.pressed(lastKey.timeStamp, lastKey.key === 'Tab' && !lastKey.defaultPrevented)
  lastKey = null
  if (!judge.isTheft(now, navigator.userActivation?.isActive ?? true)) return null
  const from = now - left.at < PRESS_MS && left.element instanceof HTMLElement && left.element.isConnected ? left.element : null
  const tooOften = found.thefts.again(now)
  // While the page is being told that the keyboard went it cannot have it back.
  setTimeout(() => {
    // The frame may have been put away in between, and the keyboard with it.
    if (document.activeElement === frame || (!frame.isConnected && document.activeElement === document.body)) {
      if (from) from.focus({ preventScroll: true })
      else (frame as HTMLElement).blur()
    }
    if (tooOften) found.onTooOften()
  })
  return { from }
}

function lost(event: Event): void {
  clearInterval(away)
  // From another window or tab the keyboard may come back to a frame that took it meanwhile, and the page hears of nothing.
  if (theftOf(event) === null && !guarded.has(document.activeElement!)) away = setInterval(returned, AWAY_LOOK_MS)
}

function returned(): void {
  if (!document.hasFocus()) return
  clearInterval(away)
  look()
}

function keyed(event: KeyboardEvent): void {
  lastKey = event
}

function clicked({ timeStamp }: Event): void {
  lastKey = null
  judge.pressed(timeStamp, false)
}

function leaving({ target, timeStamp }: Event): void {
  left = { element: target, at: timeStamp }
}

function listen(): void {
  judge = new Judge()
  addEventListener('keydown', keyed, { capture: true })
  addEventListener('pointerdown', clicked, { capture: true })
  addEventListener('focusout', leaving, { capture: true })
  addEventListener('blur', lost)
}

function deafen(): void {
  clearInterval(away)
  lastKey = null
  removeEventListener('keydown', keyed, { capture: true })
  removeEventListener('pointerdown', clicked, { capture: true })
  removeEventListener('focusout', leaving, { capture: true })
  removeEventListener('blur', lost)
}
