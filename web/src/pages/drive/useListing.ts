/** A folder's listing, kept fresh: asked again after changes, and when the person comes back to the tab. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError, api } from '../../api/client'
import type { Listing } from '../../api/types'
import { useAccount } from '../../ui/account'

export type View = 'mine' | 'shared' | 'trash'

function ask(view: View, folder: string): Promise<Listing> {
  switch (view) {
    case 'mine':
      return api.list(folder)
    case 'shared':
      return api.listShared()
    case 'trash':
      return api.listTrash()
  }
}

export function useListing(view: View, folder: string): { listing: Listing | undefined; error: ApiError | undefined; reload: () => void } {
  const { lost } = useAccount()
  const [state, setState] = useState<{ listing?: Listing; error?: ApiError }>({})
  const latest = useRef(0)
  const reload = useCallback(() => {
    const turn = ++latest.current
    ask(view, folder).then(
      (listing) => turn === latest.current && setState({ listing }),
      (cause: unknown) => {
        if (turn !== latest.current) return
        if (!(cause instanceof ApiError)) throw cause
        if (cause.status === 401) lost()
        else setState({ error: cause })
      },
    )
  }, [view, folder, lost])
  useEffect(() => {
    setState({})
    reload()
    addEventListener('focus', reload)
    return () => removeEventListener('focus', reload)
  }, [reload])
  return { listing: state.listing, error: state.error, reload }
}
