/** Where the focus was, once what took it has closed. */
import { useInsertionEffect, useRef } from 'react'

/** There; if that has gone, the cell at which Tab would arrive, or the page's main part. */
function wayBack(before: Element | null): HTMLElement | null {
  if (before instanceof HTMLElement && before !== document.body && before.isConnected && before.checkVisibility()) return before
  return document.querySelector<HTMLElement>('.cell-group > [tabindex="0"]') ?? document.querySelector<HTMLElement>('.nb-main')
}

export function goBackTo(before: HTMLElement | null): void {
  wayBack(before)?.focus({ preventScroll: true })
}

/** For a dialog's `finalFocus`: where the focus was when it opened, unless it has been taken from the dialog meanwhile. */
export function useWayBack(open: boolean): () => HTMLElement | boolean {
  const before = useRef<Element | null>(null)
  // A field that takes the focus as it is drawn does so after this, and before every other effect.
  useInsertionEffect(() => {
    if (open) before.current = document.activeElement
  }, [open])
  return () => {
    const at = document.activeElement
    if (at !== null && at !== document.body && at.closest('.dialog') === null) return false
    // Who was nowhere is nowhere again.
    if (before.current === null || before.current === document.body) return false
    return wayBack(before.current) ?? true
  }
}
