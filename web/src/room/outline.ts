/** The order of the cells as the page shows it, kept fresh without looking at what is typed. */
import * as Y from 'yjs'
import { type CellMap, cellsOf, order } from '../model/notebook'
import type { CellId } from '../model/wire'

export class Outline {
  private ids: readonly CellId[]
  private readonly listeners = new Set<(before: readonly CellId[]) => void>()

  constructor(private readonly doc: Y.Doc) {
    this.ids = order(doc)
    cellsOf(doc).observeDeep(this.changed)
  }

  readonly current = (): readonly CellId[] => this.ids

  readonly subscribe = (listener: (before: readonly CellId[]) => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    cellsOf(this.doc).unobserveDeep(this.changed)
  }

  private readonly changed = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    if (!events.some(concernsOrder)) return
    const before = this.ids
    const now = order(this.doc)
    if (now.length === before.length && now.every((id, at) => id === before[at])) return
    this.ids = now
    for (const listener of this.listeners) listener(before)
  }
}

function concernsOrder(event: Y.YEvent<Y.AbstractType<unknown>>): boolean {
  if (event.path.length === 0) return true
  if (event.path.length > 1 || !(event instanceof Y.YMapEvent)) return false
  const keys: Set<unknown> = (event as Y.YMapEvent<CellMap>).keysChanged
  return keys.has('pos') || keys.has('del')
}
