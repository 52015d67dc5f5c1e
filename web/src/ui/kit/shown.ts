/** The tooltip that is wanted now. */
import type { ReactNode } from 'react'

export interface Shown {
  /** Which Hint's. */
  readonly of: string
  readonly anchor: Element
  readonly text: ReactNode
  readonly shortcut: string | undefined
  /** Where there is more room than above it, or less to cover. */
  readonly side?: 'bottom' | undefined
}
