/** HTML that is fit for the page, put there as the elements that were checked, never as text again. */
import { useLayoutEffect, useRef } from 'react'
import type { Clean } from './sanitize'
import { setMath } from './math'
import { reachable } from './reach'

export function Html({ cleaned }: { cleaned: Clean }) {
  const root = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const fragment = cleaned.fragment.cloneNode(true) as DocumentFragment
    setMath(fragment)
    root.current?.replaceChildren(fragment)
    if (root.current) reachable(root.current)
  }, [cleaned])
  return <div className="output-html" ref={root} tabIndex={-1} />
}
