/** How a folder's items are ordered, described and what may be done to each. No DOM, no fetch. */
import type { Item } from '../../api/types'

export { sizeText } from '../../model/size'

export type SortKey = 'name' | 'modified'
export interface Sort {
  readonly by: SortKey
  readonly descending: boolean
}

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** Folders first, always by name among equals, so that the order never jumps about. */
export function sorted(items: readonly Item[], { by, descending }: Sort): readonly Item[] {
  const turn = descending ? -1 : 1
  return [...items].sort((a, b) => {
    if ((a.kind === 'folder') !== (b.kind === 'folder')) return a.kind === 'folder' ? -1 : 1
    const order = by === 'name' ? names.compare(a.name, b.name) : a.modified_at - b.modified_at
    return order * turn || names.compare(a.name, b.name) || (a.id < b.id ? -1 : 1)
  })
}

/** Pressing a column's heading: names begin at A, times at the newest. */
export function toggled(sort: Sort, by: SortKey): Sort {
  return sort.by === by ? { by, descending: !sort.descending } : { by, descending: by === 'modified' }
}

/** A time as people say it: the hour today, the day this year, the month before. */
export function timeText(at: number, now: number): string {
  const then = new Date(at)
  const today = new Date(now)
  if (then.toDateString() === today.toDateString()) return then.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' })
  if (then.getFullYear() === today.getFullYear()) return then.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })
  return then.toLocaleDateString(undefined, { year: 'numeric', month: 'short' })
}

/** What this role may do to an item; the server decides again. */
export function allowed(item: Item): { readonly rename: boolean; readonly move: boolean; readonly share: boolean } {
  const owner = item.role === 'owner'
  return { rename: owner || item.role === 'editor', move: owner, share: owner }
}

/** Where opening an item leads within this page; null: it is fetched as a file. */
export function pageOf(item: Pick<Item, 'id' | 'kind'>): string | null {
  switch (item.kind) {
    case 'folder':
      return `/drive/${item.id}`
    case 'notebook':
      return `/notebooks/${item.id}`
    case 'file':
      return null
  }
}

/** The next row whose name begins with what was typed, going round once. */
export function typedAhead(items: readonly Item[], from: number, typed: string): number {
  const wanted = typed.toLocaleLowerCase()
  for (let step = typed.length > 1 ? 0 : 1; step <= items.length; step += 1) {
    const at = (from + step) % items.length
    if (items[at]?.name.toLocaleLowerCase().startsWith(wanted)) return at
  }
  return from
}
