/** What was typed can be undone even after its editor was put away and brought back. */
import * as Y from 'yjs'

/** Each history listens to every change, so the least recently used are let go. */
const HISTORIES_MAX = 40
/** What is typed within this time of each other is one step. */
export const CAPTURE_MS = 500

const histories = new Map<Y.Text, Y.UndoManager>()

export function undoOf(text: Y.Text): Y.UndoManager {
  // Only what editors do is tracked; each adds itself as an origin while it lives.
  const history = histories.get(text) ?? new Y.UndoManager(text, { trackedOrigins: new Set(), captureTimeout: CAPTURE_MS })
  histories.delete(text)
  histories.set(text, history)
  for (const [other, old] of histories) {
    if (histories.size <= HISTORIES_MAX) break
    histories.delete(other)
    old.destroy()
  }
  return history
}
