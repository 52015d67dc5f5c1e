/** What an editor's keys may ask of the page it stands in. */
import { Facet } from '@codemirror/state'

export interface Outside {
  /** What Ctrl+S does there. */
  save(): void
  /** To what the editor stands in. */
  leave(): void
}

export const outside = Facet.define<Outside, Outside | null>({ combine: ([first]) => first ?? null })
