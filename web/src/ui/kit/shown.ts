/** The tooltip that is wanted now. */
import type { ReactNode } from 'react'

export interface Shown {
  /** Which Hint's. */
  readonly of: string
  readonly anchor: Element
  readonly text: ReactNode
  readonly shortcut: string | undefined
}
