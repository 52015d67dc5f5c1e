/** All that one open notebook is made of on this page, and what a person can do with it. */
import type { EditorView } from '@codemirror/view'
import * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { t } from '../../i18n'
import { EditorPool } from '../../editor/pool'
import type { Schemas } from '../../api/types'
import * as notebook from '../../model/notebook'
import { type Action, FRESH, update, type View } from '../../model/view'
import type { CellId, NotebookId } from '../../model/wire'
import { Outline } from '../../room/outline'
import { Room, type RoomOptions } from '../../room/room'
import { Session } from '../../session/session'
import { notify } from '../kit'
import * as arranging from './arranging'
import { Folding, reveal, withHidden } from './folding'
import * as running from './running'
import { untilDrawn } from './sight'

export type DialogName = 'share' | 'shortcuts' | 'about' | 'palette' | 'trash' | 'runtime-type' | 'notebook-settings' | 'snippet' | 'sessions' | 'runtime-log' | 'environment' | 'disconnect' | 'info' | 'revision' | 'form-field' | 'cell' | 'open' | 'move' | 'questions' | 'release-notes' | 'bug'
/** A revision, two beside each other (`now` is the present), or what one cell said over time. */
export type Past =
  | { readonly see: 'revision'; readonly number: number }
  | { readonly see: 'difference'; readonly from: number; readonly to: number | 'now' }
  | { readonly see: 'cell'; readonly cell: CellId }
/** What stands beside the cells: live second views of some, and the scratch cell. */
export interface Beside {
  readonly mirrors: readonly CellId[]
  readonly scratch: boolean
}
export interface Chrome {
  readonly beside: Beside
  readonly dialog: DialogName | null
  readonly comments: boolean
  /** The panel at the left, by its name in `SIDES`. */
  readonly side: string | null
  /** The terminal at the foot. */
  readonly terminal: boolean
  /** A panel about the runtime at the right. */
  readonly resources: boolean
  /** The revisions at the right. */
  readonly history: boolean
  /** What of the past is looked at, in the place of the cells. */
  readonly past: Past | null
  /** A file of the runtime that is shown beside the cells. */
  readonly file: string | null
  /** A table of the kernel that is shown beside the cells. */
  readonly table: TableWanted | null
  readonly renaming: boolean
  /** The name and the menus, above all else. */
  readonly header: boolean
  /** The bar that finds; each asking is another object. */
  readonly find: { readonly replacing: boolean } | null
  /** The notebook is shown as slides, from the focused cell or from its beginning. */
  readonly slides: { readonly from: 'here' | 'start' } | null
}

/** By its variable, or by the reference that its output carries; `asked` tells two wishes apart. */
export interface TableWanted {
  readonly variable?: string
  readonly ref?: string
  readonly asked: number
}

/** What a cell on the page offers to the rest of it. */
export interface CellHandle {
  readonly root: HTMLElement
  /** Put the cursor into the source. */
  edit(at: 'start' | 'end'): void
  /** Where the cursors are, as offsets; none when there is no editor. */
  cursors(): readonly number[]
}

/** What the page shows of comments before their own code has come. */
export interface Talk {
  /** How many open threads each cell has. */
  readonly counts: ReadonlyMap<CellId, number>
  /** A comment on this cell was asked for; another object is another wish. */
  readonly asked: { readonly cell: CellId } | null
  /** A cell's threads were asked for. */
  readonly shown: { readonly cell: CellId } | null
}

export class Desk {
  readonly room: Room
  readonly session: Session
  readonly outline: Outline
  readonly pool = new EditorPool()
  readonly history: Y.UndoManager
  readonly folding: Folding
  readonly view: StoreApi<View> = createStore<View>(() => FRESH)
  readonly chrome: StoreApi<Chrome> = createStore<Chrome>(() => ({ beside: { mirrors: [], scratch: false }, dialog: null, comments: false, side: null, terminal: false, resources: false, history: false, past: null, file: null, table: null, renaming: false, header: true, find: null, slides: null }))
  readonly talk: StoreApi<Talk> = createStore<Talk>(() => ({ counts: new Map(), asked: null, shown: null }))
  /** Cells that were changed here and in a file from outside, until somebody decides. */
  readonly overlaps: StoreApi<ReadonlyMap<CellId, readonly Readonly<Schemas['OverlapShown']>[]>> = createStore<ReadonlyMap<CellId, readonly Readonly<Schemas['OverlapShown']>[]>>(() => new Map())
  /** The editors that are alive, by their cells. */
  readonly editors: StoreApi<ReadonlyMap<CellId, EditorView>> = createStore<ReadonlyMap<CellId, EditorView>>(() => new Map())
  /** How much is known to be wrong in the code. */
  readonly problems: StoreApi<{ readonly errors: number; readonly warnings: number }> = createStore(() => ({ errors: 0, warnings: 0 }))
  private readonly farewells: (() => void)[] = []
  private readonly handles = new Map<CellId, CellHandle>()
  private lastSide = 'contents'
  private awaited: { readonly cell: CellId; readonly editing: boolean } | null = null

  constructor(
    readonly id: NotebookId,
    readonly me: { readonly id: string; readonly name: string; readonly color: string },
    options: RoomOptions,
  ) {
    this.room = new Room(options)
    this.outline = new Outline(this.room.doc)
    this.history = notebook.cellHistory(this.room.doc)
    this.session = new Session(this.room, { refused: (code, detail) => notify({ title: refusal(code), detail, kind: 'bad' }) })
    this.room.awareness.setLocalState({ user: { ...me, colorLight: `${me.color}33` }, cell: null })
    this.outline.subscribe((before) => this.act({ do: 'gone', order: this.outline.current(), before }))
    this.folding = new Folding(this)
    this.view.subscribe(({ focused }, before) => {
      if (focused !== before.focused) this.room.awareness.setLocalStateField('cell', focused)
    })
  }

  close(): void {
    for (const farewell of this.farewells) farewell()
    this.pool.close()
    this.folding.close()
    this.session.close()
    this.outline.close()
    this.history.destroy()
    this.room.close()
  }

  /** Do this before the notebook is closed. */
  whenClosed(farewell: () => void): void {
    this.farewells.push(farewell)
  }

  may(what: 'write' | 'run' | 'comment'): boolean {
    return this.room.state.getState().may.has(what)
  }

  act(action: Action): void {
    this.view.setState((view) => update(view, action), true)
  }

  open(dialog: DialogName | null): void {
    this.chrome.setState({ dialog })
  }

  /** Open a panel at the left, or close it; without a name, the one that was asked for last. */
  toggleSide(id = this.lastSide): void {
    this.lastSide = id
    this.chrome.setState(({ side }) => ({ side: side === id ? null : id }))
  }

  /** There is room for one panel at the right. */
  showResources(resources: boolean): void {
    this.chrome.setState(resources ? { resources, comments: false, history: false } : { resources })
  }

  showComments(comments: boolean): void {
    this.chrome.setState(comments ? { comments, resources: false, history: false } : { comments })
  }

  /** With the revisions goes what was looked at. */
  showHistory(history: boolean): void {
    this.chrome.setState(history ? { history, comments: false, resources: false } : { history, past: null })
  }

  beside(change: Partial<Beside>): void {
    this.chrome.setState(({ beside }) => ({ beside: { ...beside, ...change } }))
  }

  /** In the place of a file, if one is shown. */
  openTable(table: { readonly variable: string } | { readonly ref: string }): void {
    this.chrome.setState({ table: { ...table, asked: Date.now() }, file: null })
  }

  look(past: Past | null): void {
    this.chrome.setState({ past })
  }

  /** Write a comment on what is selected in the cell, or on the cell. */
  comment(cell: CellId): void {
    this.showComments(true)
    this.talk.setState({ asked: { cell } })
  }

  /** A cell's editor has come or gone. */
  edits(cell: CellId, editor: EditorView | null): void {
    const editors = new Map(this.editors.getState())
    if (editor) editors.set(cell, editor)
    else editors.delete(cell)
    this.editors.setState(editors, true)
  }

  /** Where a cell is on the page. */
  placeOf(cell: CellId): HTMLElement | null {
    return this.handles.get(cell)?.root ?? null
  }

  /** A cell has come onto the page; gives its farewell. */
  enter(id: CellId, handle: CellHandle): () => void {
    this.handles.set(id, handle)
    if (this.awaited?.cell === id) this.goTo(id, this.awaited.editing)
    return () => {
      if (this.handles.get(id) === handle) this.handles.delete(id)
    }
  }

  /** A cell that stands in a collapsed section is brought onto the page first. */
  goTo(id: CellId, editing = false, at: 'start' | 'end' = 'end'): void {
    reveal(this, id)
    this.act({ do: 'focus', cell: id, editing })
    const handle = this.handles.get(id)
    this.awaited = handle ? null : { cell: id, editing }
    if (!handle) return
    const { root } = handle
    if (editing) handle.edit(at)
    else root.focus({ preventScroll: true })
    // A tall cell being edited is scrolled to its cursor by its editor.
    if (!editing || root.offsetHeight < innerHeight / 2) untilDrawn(() => root.scrollIntoView({ block: 'nearest' }))
  }

  /** The focused cell's neighbour on the page; null beyond the ends. */
  neighbour(by: -1 | 1): CellId | null {
    const { shown } = this.folding.layout.getState()
    const { focused } = this.view.getState()
    const at = focused === null ? -1 : shown.indexOf(focused)
    return shown[at + by] ?? null
  }

  step(by: -1 | 1, extend: boolean): void {
    const to = this.neighbour(by)
    if (to === null) return
    if (!extend) return this.goTo(to)
    this.act({ do: 'extend', to, order: this.outline.current() })
    this.handles.get(to)?.root.focus()
  }

  type(id: CellId): notebook.CellType | null {
    const cell = notebook.cellOf(this.room.doc, id)
    return cell ? notebook.typeOf(cell) : null
  }

  /** The selected cells in order. */
  get selected(): CellId[] {
    const { selected, focused } = this.view.getState()
    return this.outline.current().filter((id) => selected.has(id) || id === focused)
  }

  /** The selected cells in order, a collapsed heading with all that it hides. */
  get chosen(): CellId[] {
    return withHidden(this, new Set(this.selected))
  }

  /** Where the cursors of a cell's editor are. */
  cursors(id: CellId): readonly number[] {
    return this.handles.get(id)?.cursors() ?? []
  }

  insert(type: 'code' | 'markdown', after: CellId | null, source = ''): void {
    arranging.insert(this, type, after, source)
  }

  /** After the focused cell and what it hides, or at the foot. */
  append(type: 'code' | 'markdown'): void {
    const { focused } = this.view.getState()
    this.insert(type, (focused === null ? undefined : withHidden(this, new Set([focused])).at(-1)) ?? this.outline.current().at(-1) ?? null)
  }

  insertAbove(type: 'code' | 'markdown'): void {
    const order = this.outline.current()
    const { focused } = this.view.getState()
    this.insert(type, (focused === null ? undefined : order[order.indexOf(focused) - 1]) ?? null)
  }

  undo(): void {
    arranging.undo(this)
  }

  redo(): void {
    this.history.redo()
  }

  run(ids: readonly CellId[]): void {
    running.run(this, ids)
  }

  /** To one's own playground of this notebook, to run this cell there. */
  playground(cell: CellId | null): void {
    void import('./playground').then(({ openPlayground }) => openPlayground(this.id, cell), () => location.reload())
  }
}

function refusal(code: string): string {
  switch (code) {
    case 'stale_source':
      return t('The cell changed while you pressed run. Look, and run it again.')
    case 'forbidden':
      return t('You may not run cells in this notebook.')
    case 'quota_exceeded':
      return t('You have used what you were given.')
    default:
      return t('The cell could not be run.')
  }
}
