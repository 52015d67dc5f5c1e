/** Whether edits are on their way to the server's disk: true at once, false when none has been for a moment. */
import type { StoreApi } from 'zustand/vanilla'

/** Longer than from one key to the next: who writes sees one `Saving…`, and no key is drawn a second time for its acknowledgement. */
const RESTED_MS = 400

export interface Saving {
  readonly current: () => boolean
  readonly subscribe: (listener: () => void) => () => void
}

/** `unsaved`: how many edits the server has not put on its disk yet. Followed for as long as somebody listens. */
export function savingOf(unsaved: StoreApi<number>): Saving {
  let saving = unsaved.getState() > 0
  return {
    current: () => saving,
    subscribe(listener) {
      let rest: ReturnType<typeof setTimeout> | undefined
      const say = (now: boolean) => {
        clearTimeout(rest)
        rest = undefined
        if (saving === now) return
        saving = now
        listener()
      }
      const look = (waiting: number) => {
        if (waiting > 0) say(true)
        else if (saving) rest ??= setTimeout(() => say(false), RESTED_MS)
      }
      look(unsaved.getState())
      const stop = unsaved.subscribe(look)
      return () => {
        clearTimeout(rest)
        stop()
      }
    },
  }
}
