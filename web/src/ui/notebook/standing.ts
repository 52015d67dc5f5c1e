/** What the subjects of a desk (arranging, folding, running) need of it; the desk itself stands on them. */
import type * as Y from 'yjs'
import type { StoreApi } from 'zustand/vanilla'
import type { CellType } from '../../model/notebook'
import type { Layout } from '../../model/sections'
import type { Action, View } from '../../model/view'
import type { CellId } from '../../model/wire'
import type { Outline } from '../../room/outline'
import type { Room } from '../../room/room'
import type { Session } from '../../session/session'

export interface Standing {
  readonly me: { readonly id: string }
  readonly room: Room
  readonly session: Session
  readonly outline: Outline
  readonly history: Y.UndoManager
  readonly view: StoreApi<View>
  readonly folding: { readonly layout: StoreApi<Layout> }
  /** The selected cells in order. */
  readonly selected: readonly CellId[]
  /** The same, a collapsed heading with all that it hides. */
  readonly chosen: readonly CellId[]
  may(what: 'write' | 'run' | 'comment'): boolean
  act(action: Action): void
  goTo(cell: CellId, editing?: boolean, at?: 'start' | 'end'): void
  placeOf(cell: CellId): HTMLElement | null
  type(cell: CellId): CellType | null
  /** The focused cell's neighbour on the page; null beyond the ends. */
  neighbour(by: -1 | 1): CellId | null
  /** Where the cursors of a cell's editor are. */
  cursors(cell: CellId): readonly number[]
  insert(type: 'code' | 'markdown', after: CellId | null): void
  playground(cell: CellId | null): void
}
