/** What happened to the files of a notebook's runtime, told among the parts of its page. */
import type { Desk } from '../notebook/desk'

export type News =
  | { readonly what: 'moved'; readonly from: string; readonly to: string }
  | { readonly what: 'removed' | 'written'; readonly path: string }
  /** Something ran: whatever there is may have changed. */
  | { readonly what: 'perhaps' }

type Listener = (news: News) => void
const listeners = new WeakMap<Desk, Set<Listener>>()

export function tell(desk: Desk, news: News): void {
  for (const listener of listeners.get(desk) ?? []) listener(news)
}

/** Gives its farewell. */
export function listen(desk: Desk, listener: Listener): () => void {
  const all = listeners.get(desk) ?? new Set()
  listeners.set(desk, all.add(listener))
  return () => all.delete(listener)
}
