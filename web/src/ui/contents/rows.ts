/** The lines of a table of contents. */
import type { Head } from '../../model/headings'
import type { Layout } from '../../model/sections'
import type { CellId } from '../../model/wire'

export interface Row {
  readonly key: string
  readonly cell: CellId
  readonly level: number
  readonly text: string
  /** The cells that follow and belong to its section. */
  readonly size: number
  readonly folded: boolean
  /** The first heading of its cell, which stands for the section. */
  readonly first: boolean
}

/** Every heading, also inside of collapsed sections: whoever goes there expands them. */
export function rowsOf(order: readonly CellId[], headsOf: (cell: CellId) => readonly Head[], sections: Layout['sections']): Row[] {
  return order.flatMap((cell) =>
    headsOf(cell).map(({ level, text }, at) => {
      const section = sections.get(cell)
      return { key: `${cell}-${at}`, cell, level, text, size: section?.size ?? 0, folded: section?.folded ?? false, first: at === 0 }
    }),
  )
}
