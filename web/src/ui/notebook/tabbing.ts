/**
 * Tab among the cells: the one that somebody is at is a stop, then what is in it, with its toolbar last, and then what comes after
 * all of them. The others are reached by arrows, and a text by Enter, since in it Tab indents; Escape leads out of it.
 */
import { type RefObject, useEffect } from 'react'
import type { CellId } from '../../model/wire'
import type { Desk } from './desk'

/** The cell that Tab comes to: where somebody was, else the first. */
export const stopOf = (desk: Desk): CellId | undefined => {
  const { focused } = desk.view.getState()
  const { shown } = desk.folding.layout.getState()
  return focused !== null && shown.includes(focused) ? focused : shown[0]
}

/** `before` has the focus when Shift+Tab leaves the cells; `after` stands behind them, and is no stop itself. */
export function useTabbing(desk: Desk, list: RefObject<HTMLElement | null>, before: RefObject<HTMLElement | null>, after: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const cells = list.current!
    let tabbed = false
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Tab' || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return
      tabbed = true
      // The browser moves the focus before anything else is done.
      setTimeout(() => (tabbed = false))
      if (!(event.target instanceof Element) || !cells.contains(event.target)) return
      if (event.shiftKey && event.target.matches('.cell-group > .cell')) {
        event.preventDefault()
        before.current?.focus()
      } else if (!event.shiftKey && event.target.closest('.cell-tools')) after.current?.focus({ preventScroll: true })
    }
    const entered = (event: FocusEvent) => {
      if (!tabbed || (event.relatedTarget instanceof Node && cells.contains(event.relatedTarget))) return
      tabbed = false
      const stop = stopOf(desk)
      if (stop === undefined || event.target === desk.placeOf(stop)) return
      event.stopPropagation()
      desk.goTo(stop)
    }
    document.addEventListener('keydown', pressed)
    cells.addEventListener('focusin', entered, { capture: true })
    return () => {
      document.removeEventListener('keydown', pressed)
      cells.removeEventListener('focusin', entered, { capture: true })
    }
  }, [desk, list, before, after])
}

/** From the beginning of the page: to the cells, or to what is shown in their place. */
export function skipToCells(desk: Desk): void {
  const stop = stopOf(desk)
  if (stop !== undefined && desk.placeOf(stop)) desk.goTo(stop)
  else document.querySelector<HTMLElement>('.nb-main')?.focus()
}
