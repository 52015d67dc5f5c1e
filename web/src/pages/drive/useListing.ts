/** What a view of the drive lists, kept fresh: asked again after changes, and when the person comes back to the tab. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { msg, t } from '../../i18n'
import { ApiError, api } from '../../api/client'
import { drive, type Found } from '../../api/drive'
import type { Item, ItemKind, Listing } from '../../api/types'
import { useAccount } from '../../ui/account'

export type View = 'mine' | 'shared' | 'recent' | 'starred' | 'trash' | 'search'

/** What somebody looks for. */
export interface Wanted {
  readonly words: string
  readonly kind: ItemKind | null
  readonly owner: 'mine' | 'others' | null
}

/** An item as this page lists it. */
export interface Row extends Item {
  /** When the person opened it, where the view is about that. */
  readonly opened_at?: number
  readonly found?: Found
}

export interface Shown {
  readonly folder: Listing['folder']
  readonly items: readonly Row[]
}

const place = (id: View, items: readonly Row[]): Shown => ({ folder: { id, name: t(TITLES[id]), path: [] }, items })

export const TITLES: Readonly<Record<View, string>> = {
  mine: msg('My drive'),
  shared: msg('Shared with me'),
  recent: msg('Recent'),
  starred: msg('Starred'),
  trash: msg('Trash'),
  search: msg('Search'),
}

async function ask(view: View, folder: string, wanted: Wanted): Promise<Shown> {
  switch (view) {
    case 'mine':
      return api.list(folder)
    case 'shared':
      return api.listShared()
    case 'trash':
      return api.listTrash()
    case 'recent':
      return place(view, (await drive.recent()).map(({ item, opened_at }) => ({ ...item, opened_at })))
    case 'starred':
      return place(view, await drive.starred())
    case 'search':
      return place(view, (await drive.search(wanted.words, wanted.kind, wanted.owner)).map((found) => ({ ...found.item, found })))
  }
}

export interface Listed {
  readonly listing: Shown | undefined
  readonly stars: ReadonlySet<string>
  readonly error: ApiError | undefined
  readonly reload: () => void
}

export function useListing(view: View, folder: string, { words, kind, owner }: Wanted): Listed {
  const { lost } = useAccount()
  const [state, setState] = useState<{ listing?: Shown; stars: ReadonlySet<string>; error?: ApiError }>({ stars: new Set() })
  const latest = useRef(0)
  const shown = useRef('')
  const reload = useCallback(() => {
    const turn = ++latest.current
    Promise.all([ask(view, folder, { words, kind, owner }), drive.stars()]).then(
      ([listing, stars]) => turn === latest.current && setState({ listing, stars: new Set(stars) }),
      (cause: unknown) => {
        if (turn !== latest.current) return
        if (!(cause instanceof ApiError)) throw cause
        if (cause.status === 401) lost()
        else setState(({ stars }) => ({ stars, error: cause }))
      },
    )
  }, [view, folder, words, kind, owner, lost])
  useEffect(() => {
    // While somebody types, what was found before stays until there is something newer.
    const key = `${view} ${folder}`
    if (shown.current !== key) setState(({ stars }) => ({ stars }))
    shown.current = key
    reload()
    addEventListener('focus', reload)
    return () => removeEventListener('focus', reload)
  }, [view, folder, reload])
  return { ...state, listing: state.listing, error: state.error, reload }
}
