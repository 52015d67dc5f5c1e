/** A notebook that was made a moment ago: who made it wants to write, so the cursor is in its first cell. */
import { useEffect } from 'react'
import { navigate, useHistoryState } from 'wouter/use-browser-location'
import type { Desk } from './desk'

const MADE = { made: true }

export const openMade = ({ id }: { readonly id: string }): void => navigate(`/notebooks/${id}`, { state: MADE })

/** Once: a page that is loaded again leaves the cursor where people put it. */
export function useMade(desk: Desk): void {
  const { made = false } = useHistoryState<Partial<typeof MADE> | null>() ?? {}
  useEffect(() => {
    const [first] = desk.outline.current()
    if (!made || first === undefined) return
    history.replaceState(null, '')
    desk.goTo(first, true)
  }, [desk, made])
}
