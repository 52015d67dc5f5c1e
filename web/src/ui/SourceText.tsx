/** Source as text in the page, outside of editors: letters that are not seen are marked, and so is what is different. */
import type { ReactNode } from 'react'
import { unseenApart } from '../editor/unseen'

/** `changed`: ranges of the text in their order. */
export function SourceText({ text, changed = [] }: { text: string; changed?: readonly (readonly [number, number])[] }): ReactNode {
  const parts: ReactNode[] = []
  let at = 0
  for (const [from, to] of changed) {
    parts.push(...seen(text.slice(at, from), at), <mark key={`mark ${from}`}>{seen(text.slice(from, to), from)}</mark>)
    at = to
  }
  return [...parts, ...seen(text.slice(at), at)]
}

/** `at`: where the piece begins in the whole. */
function seen(text: string, at: number): ReactNode[] {
  return unseenApart(text).map((piece, index) => (index % 2 === 0 ? piece : <span key={`${at} ${index}`} className="unseen">{piece}</span>))
}
