/**
 * Outputs that do not answer. In Chromium all frames of a page are one process beside the page's own, so an endless loop
 * in one of them silences all. To take its frame out does not end it: the process goes when it has no frame left, so
 * then all the others are made anew, in a fresh one.
 */

const LOOK_MS = 2000
/** Two looks further apart than this: the page itself was busy or asleep, and what it did not hear says nothing. */
const LATE_MS = 3000
/** So many looks without an answer, and it is said. Who has not even greeted may still be on its way. */
export const LOOKS_MAX = 5
export const LOOKS_FIRST_MAX = 15
/** From here on it is taken for one of the silent, if another is silent for certain. */
const LOOKS_DOUBT = 2

/** What the page knows of a silent frame. */
export interface Suspect {
  /** It said that it begins to run something, and not that it ended. */
  readonly works: boolean
  readonly focused: boolean
  /** When it last said that it begins, on the page's clock, in milliseconds. */
  readonly at: number
}

/** Which of them most likely loops: it runs something, or a person just used it, or it ran something last. */
export function likeliest<One extends Suspect>(suspects: Iterable<One>): One | null {
  let found: One | null = null
  for (const one of suspects) if (found === null || rank(one, found) > 0) found = one
  return found
}

function rank(one: Suspect, other: Suspect): number {
  return Number(one.works) - Number(other.works) || Number(one.focused) - Number(other.focused) || one.at - other.at
}

/** What is said of a frame: that it does not answer, or that it cannot because of another one. */
export type Silence = 'itself' | 'another'

/** A frame, as this watch needs it. */
export interface Watched {
  readonly element: HTMLElement
  /** Whether somebody may be looking at it. */
  near(): boolean
  /** Asks it to answer. False: it has not greeted yet. */
  ask(): boolean
  /** Null: it answers. */
  tell(silence: Silence | null): void
  /** Takes it out of the page, and makes it anew where somebody may be looking. */
  again(): void
}

const watches = new Set<Watch>()
/** Frames that were taken out while something ran in them: their loop may still keep the process from the others. */
const gone = new Set<Suspect>()
let blamed: Watch | null = null
let timer: ReturnType<typeof setInterval> | undefined
let looked = 0

/** Watches over one frame, from when it is in the page until `end()`. */
export class Watch implements Suspect {
  works = false
  at = -Infinity
  private missed = 0
  private greeted = false
  private told: Silence | null = null

  constructor(private readonly watched: Watched) {
    if (watches.size === 0) {
      looked = performance.now()
      timer = setInterval(look, LOOK_MS)
    }
    watches.add(this)
  }

  get focused(): boolean {
    return document.activeElement === this.watched.element
  }

  /** The frame said anything at all. */
  heard(): void {
    this.missed = 0
    gone.clear()
    this.tell(null)
  }

  /** The frame said that it begins to run something, or that it has ended. */
  working(works: boolean): void {
    this.works = works
    if (works) this.at = performance.now()
  }

  /** The frame left the page. If the others were waiting for it, they begin again. */
  end(): void {
    watches.delete(this)
    if (this === blamed) restart()
    else if (this.works || this.missed > 0) gone.add({ works: this.works, focused: this.focused, at: this.at })
    if (watches.size > 0) return
    clearInterval(timer)
    gone.clear()
  }

  /** Asks it, if somebody may look at it or another one is in doubt; `late`: what it missed does not count. */
  look(late: boolean, doubted: boolean): void {
    if (late) this.missed = 0
    if (!doubted && !this.watched.near()) return
    this.missed += 1
    this.greeted = this.watched.ask()
  }

  get doubted(): boolean {
    return this.missed >= LOOKS_DOUBT
  }

  /** It was given all the time it may want, and somebody may be looking at it. */
  get silent(): boolean {
    return this.missed >= (this.greeted ? LOOKS_MAX : LOOKS_FIRST_MAX) && this.watched.near()
  }

  tell(silence: Silence | null): void {
    if (this.told === silence) return
    this.told = silence
    if (this === blamed && silence === null) blamed = null
    this.watched.tell(silence)
  }

  again(): void {
    this.watched.again()
  }

  show(): void {
    this.watched.element.closest<HTMLElement>('[data-cell-id]')?.focus()
    this.watched.element.scrollIntoView({ block: 'center' })
  }
}

function look(): void {
  const now = performance.now()
  const late = now - looked > LATE_MS || document.visibilityState === 'hidden'
  looked = now
  const all = [...watches]
  if (!late && all.some((one) => one.silent)) say(all.filter((one) => one.doubted))
  const doubted = !late && all.some((one) => one.doubted)
  for (const one of all) one.look(late, doubted)
}

function say(silent: readonly Watch[]): void {
  if (blamed === null) {
    const found = likeliest<Watch | Suspect>([...silent, ...gone])
    if (!(found instanceof Watch)) return restart()
    blamed = found
  }
  for (const one of silent) one.tell(one === blamed ? 'itself' : 'another')
}

/** All frames leave, and with the last of them the process; those that come now have another. */
function restart(): void {
  blamed = null
  gone.clear()
  for (const one of [...watches]) one.again()
}

/** Leads to the output that the others wait for. */
export function showBlamed(): void {
  blamed?.show()
}
