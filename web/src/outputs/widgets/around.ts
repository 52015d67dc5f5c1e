/** What outputs need of the notebook they are in, so that widgets in them reach its kernel. */
import { createContext } from 'react'
import type { NotebookId } from '../../model/wire'
import type { Wire } from '../../session/session'

export interface Around {
  readonly notebook: NotebookId
  readonly wire: Wire
  /** Who looks on. */
  readonly me: string
  /** The notebook's metadata `widgets`: states that came with the file. */
  saved(): unknown
  mayRun(): boolean
}

export const AroundContext = createContext<Around | null>(null)
