/** Saying something in the corner; what shows it is fetched when there is something to say. */

export interface Notice {
  readonly title: string
  readonly detail?: string | undefined
  readonly kind?: 'info' | 'good' | 'bad'
  /** Until it is closed, as a bad one does. */
  readonly stays?: boolean
  readonly action?: { readonly label: string; readonly run: () => void }
}

type Show = (notice: Notice) => void

let show: Show | undefined
const waiting: Notice[] = []
const listeners = new Set<() => void>()

/** Shows a notice; a bad one stays until it is closed. May be called from anywhere. */
export function notify(notice: Notice): void {
  if (show !== undefined) return show(notice)
  waiting.push(notice)
  for (const tell of listeners) tell()
}

/** The notice for something that went wrong, in the words of the error. */
export function notifyError(title: string, cause: unknown): void {
  notify({ title, detail: cause instanceof Error ? cause.message : String(cause), kind: 'bad' })
}

/** From now on `next` shows what is said, and what was said before; gives its farewell. */
export function shownBy(next: Show): () => void {
  show = next
  for (const notice of waiting.splice(0)) next(notice)
  return () => {
    if (show === next) show = undefined
  }
}

export function subscribe(tell: () => void): () => void {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

export const somethingWaits = (): boolean => waiting.length > 0
