/** Panels behind the cells are far for whoever has only keys: in an editor Tab indents. */
import { type RefObject, useEffect, useRef } from 'react'

/** The panel takes the focus when it comes, unless somebody writes; give it a tab index of -1. */
export function useArrival(): RefObject<HTMLElement | null> {
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    const at = document.activeElement as HTMLElement | null
    if (at?.isContentEditable !== true && !at?.matches('input, textarea') && !panel.current?.contains(at)) panel.current?.focus({ preventScroll: true })
  }, [])
  return panel
}
