/** How a folder's items are ordered, described and what may be done to each. No DOM, no fetch. */
import type { Item } from '../../api/types'
import { byName } from '../../i18n/formats'

export { sizeText } from '../../model/size'

export type SortKey = 'name' | 'modified'
export interface Sort {
  readonly by: SortKey
  readonly descending: boolean
}

/** Folders first, always by name among equals, so that the order never jumps about. */
export function sorted(items: readonly Item[], { by, descending }: Sort): readonly Item[] {
  const turn = descending ? -1 : 1
  return [...items].sort((a, b) => {
    if ((a.kind === 'folder') !== (b.kind === 'folder')) return a.kind === 'folder' ? -1 : 1
    const order = by === 'name' ? byName(a.name, b.name) : a.modified_at - b.modified_at
    return order * turn || byName(a.name, b.name) || (a.id < b.id ? -1 : 1)
  })
}

/** Pressing a column's heading: names begin at A, times at the newest. */
export function toggled(sort: Sort, by: SortKey): Sort {
  return sort.by === by ? { by, descending: !sort.descending } : { by, descending: by === 'modified' }
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
