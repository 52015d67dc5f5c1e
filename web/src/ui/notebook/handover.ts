/**
 * Whether somebody knows that the keyboard has come from an output to the page. No browser says why it came: a frame
 * may ask for that, focus the page, or be taken away, each at a moment of its choosing, and what is typed for it is then
 * heard here. So until Escape or Tab is pressed in the page, or something in it is clicked, keys do nothing but move.
 * What the person was told to press again is done then, and nothing else is.
 */
import type { Held } from './modifiers'

export interface Pressed extends Held {
  readonly key: string
}

/** What runs a cell, whichever keys it has. */
export const RUN = 'run'
/** Who types on is not told with every key. */
const EVERY_MS = 5000

export class Handover {
  private lent = false
  private told: string | null = null
  private toldAt = -Infinity

  /** An output has the keyboard. */
  lend(): void {
    this.lent = true
    this.told = null
    this.toldAt = -Infinity
  }

  /** Something in the page was clicked. */
  takeBack(): void {
    this.lent = false
  }

  /** The person was told that the output had the keyboard, at this time in milliseconds, when they wanted this. */
  tell(what: string, at: number): void {
    this.told = what
    this.toldAt = at
  }

  /** Whether that is what they were told of last. */
  toldOf(what: string): boolean {
    return this.told === what
  }

  /** Hears each key that is pressed in the page, first of all. */
  pressed({ key, ctrlKey, altKey, metaKey }: Pressed): void {
    if ((key === 'Escape' || key === 'Tab') && !ctrlKey && !altKey && !metaKey) this.lent = false
  }

  /**
   * Whether keys may do what they would. If not, they mean nothing, and the person is to be told if it says so.
   * `deliberate`: nobody presses that by writing words, so it is done when it is pressed again.
   */
  admits(what: string, deliberate: boolean, at: number): 'yes' | 'no' | 'no, and tell' {
    if (!this.lent || (deliberate && what === this.told)) return 'yes'
    return !deliberate && at - this.toldAt < EVERY_MS ? 'no' : 'no, and tell'
  }
}

/** Keys that only move from cell to cell. */
export const moves = ({ key, ctrlKey, altKey, metaKey }: Pressed): boolean => key.startsWith('Arrow') && !ctrlKey && !altKey && !metaKey
/** Keys of which the browser makes a cutting or a pasting. */
export const cutsOrPastes = ({ key, ctrlKey, metaKey, shiftKey }: Pressed): boolean => ((ctrlKey || metaKey) && /^[xv]$/i.test(key)) || (shiftKey && /^(?:Insert|Delete)$/.test(key))
