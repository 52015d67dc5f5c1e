/** The headings of all text cells, each cell read again only when its own text changes. */
import * as Y from 'yjs'
import { type Head, headingsIn } from '../model/headings'
import { type CellMap, cellOf, cellsOf, isCell, textOf, typeOf } from '../model/notebook'
import type { CellId } from '../model/wire'

const NONE: readonly Head[] = []

export class Headings {
  private readonly known = new Map<CellId, readonly Head[]>()
  private readonly listeners = new Set<() => void>()
  private turn = 0

  constructor(private readonly doc: Y.Doc) {
    for (const id of cellsOf(doc).keys()) this.read(id)
    cellsOf(doc).observeDeep(this.changed)
  }

  readonly of = (cell: CellId): readonly Head[] => this.known.get(cell) ?? NONE
  /** Another number is another state. */
  readonly version = (): number => this.turn

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    cellsOf(this.doc).unobserveDeep(this.changed)
  }

  /** True when the headings of this cell are others now. */
  private read(id: CellId): boolean {
    const cell = cellOf(this.doc, id)
    const before = this.of(id)
    const now = cell && isCell(cell) && typeOf(cell) === 'markdown' ? headingsIn(textOf(cell).toString()) : NONE
    if (now.length === before.length && now.every(({ level, text }, at) => before[at]!.level === level && before[at]!.text === text)) return false
    if (now.length === 0) this.known.delete(id)
    else this.known.set(id, now)
    return true
  }

  private readonly changed = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    const touched = new Set<CellId>()
    for (const event of events) {
      if (event.path.length === 0) for (const id of (event as Y.YMapEvent<CellMap>).keysChanged) touched.add(id as CellId)
      else if (event.path[1] === 'source' || (event.path.length === 1 && (event as Y.YMapEvent<CellMap>).keysChanged.has('t'))) touched.add(event.path[0] as CellId)
    }
    let others = false
    for (const id of touched) others = this.read(id) || others
    if (!others) return
    this.turn++
    for (const listener of this.listeners) listener()
  }
}
