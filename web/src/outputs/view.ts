/** How the texts among a cell's outputs are shown; what holds for all of them comes down by context. */
import { createContext } from 'react'

export interface TextView {
  /** All outputs in one box that scrolls; never in boxes; or, undefined, long texts in boxes of their own. */
  readonly scrolled: boolean | undefined
  readonly wrap: boolean
}

export const PLAIN_VIEW: TextView = { scrolled: undefined, wrap: true }
export const TextViewContext = createContext<TextView>(PLAIN_VIEW)
