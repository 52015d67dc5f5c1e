/** Panels beside the cells are far for whoever has only keys: they take the focus when they are opened, and give it back. */
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'
import { goBackTo } from './kit/wayBack'

/** Where the focus was before a panel took it. */
let before: HTMLElement | null = null

/**
 * The panel takes the focus when it is shown, at what `first` selects in it or as a whole (give it a tab index of -1);
 * Escape closes it, unless something in it has a use for that; closed, it gives the focus back to where it came from.
 */
export function useArrival(shown: boolean, close: () => void, first?: string): RefObject<HTMLElement | null> {
  const panel = useRef<HTMLElement>(null)
  const closing = useRef(close)
  closing.current = close
  // What is hidden has lost the focus by the time that is heard of.
  const held = useRef(false)
  held.current = panel.current?.contains(document.activeElement) ?? false
  useEffect(() => {
    const element = panel.current
    if (!shown || !element) return
    const at = document.activeElement
    if (!element.contains(at)) {
      // From panel to panel, the way back is to what was before the first.
      if (at instanceof HTMLElement && at !== document.body && at.closest('.panel, .gridtab') === null) before = at
      ;(first === undefined ? element : (element.querySelector<HTMLElement>(first) ?? element)).focus({ preventScroll: true })
    }
    // Heard after all that is in the panel, of which only some is below it in the document.
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing || !(event.target instanceof Element) || !element.contains(event.target)) return
      if (event.target.matches('input[type="search"]') && (event.target as HTMLInputElement).value !== '') return
      event.preventDefault()
      closing.current()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [shown, first])
  useLayoutEffect(() => {
    const element = panel.current
    if (!shown || !element) return
    return () => {
      if (held.current || element.contains(document.activeElement)) setTimeout(() => giveBack(element))
    }
  }, [shown])
  return panel
}

function giveBack(panel: HTMLElement): void {
  const at = document.activeElement
  // Something else has taken it meanwhile.
  if (at !== null && at !== document.body && !panel.contains(at)) return
  const back = before
  before = null
  goBackTo(back)
}
