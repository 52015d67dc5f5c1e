/** Sections: a text cell with a heading, and what follows it until a heading of the same or a higher rank. */
import type { CellId } from './wire'

export interface Section {
  /** 1 to 6: the highest rank among the headings of its cell. */
  readonly level: number
  /** How many cells follow that belong to it. */
  readonly size: number
  readonly folded: boolean
}

export interface Layout {
  /** The cells that are on the page, in order. */
  readonly shown: readonly CellId[]
  readonly hidden: ReadonlySet<CellId>
  readonly sections: ReadonlyMap<CellId, Section>
}

export const NOTHING: Layout = { shown: [], hidden: new Set(), sections: new Map() }

/** `levelOf`: the level of a cell's section; null when it begins none. What has not changed stays the same object. */
export function layout(order: readonly CellId[], levelOf: (cell: CellId) => number | null, folded: ReadonlySet<CellId>, before: Layout = NOTHING): Layout {
  const open: { readonly cell: CellId; readonly level: number; readonly at: number }[] = []
  const found: [CellId, Section][] = []
  const hidden = new Set<CellId>()
  const shown: CellId[] = []
  const close = (until: number, at: number) => {
    while (open.length > 0 && open.at(-1)!.level >= until) {
      const { cell, level, at: from } = open.pop()!
      const known = before.sections.get(cell)
      const section = { level, size: at - from - 1, folded: folded.has(cell) }
      found.push([cell, known && known.level === level && known.size === section.size && known.folded === section.folded ? known : section])
    }
  }
  let cover: number | null = null
  order.forEach((cell, at) => {
    const level = levelOf(cell)
    if (level !== null) {
      close(level, at)
      if (cover !== null && level <= cover) cover = null
      open.push({ cell, level, at })
    }
    if (cover !== null) hidden.add(cell)
    else {
      shown.push(cell)
      if (level !== null && folded.has(cell)) cover = level
    }
  })
  close(1, order.length)
  const same = shown.length === before.shown.length && shown.every((cell, at) => cell === before.shown[at])
  return { shown: same ? before.shown : shown, hidden, sections: new Map(found) }
}

/** A section's cells, its heading first; the cell alone when it begins none. */
export function sectionOf(order: readonly CellId[], sections: Layout['sections'], cell: CellId): readonly CellId[] {
  const at = order.indexOf(cell)
  return at < 0 ? [] : order.slice(at, at + 1 + (sections.get(cell)?.size ?? 0))
}

/** The sections that a cell stands in, the innermost first; its own is not among them. */
export function above(order: readonly CellId[], sections: Layout['sections'], cell: CellId): CellId[] {
  const found: CellId[] = []
  const at = order.indexOf(cell)
  for (let i = at - 1; i >= 0; i--) {
    const section = sections.get(order[i]!)
    if (section && i + section.size >= at) found.push(order[i]!)
  }
  return found
}
