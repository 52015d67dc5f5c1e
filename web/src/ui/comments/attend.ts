/** Keeps what is said where it belongs on the page, while the notebook and the threads change. */
import type { EditorView } from '@codemirror/view'
import type * as Y from 'yjs'
import { find, type Found, placeOf, type Range } from '../../model/anchors'
import { cellOf, cellsOf, textOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { lessMotion } from '../../settings/apply'
import type { Desk } from '../notebook/desk'
import type { Thread } from './api'
import { type Highlight, highlight } from './highlights'
import { type Comments, NEW } from './store'

const REST_MS = 60
const REVEAL_WITHIN_MS = 8000

/** Until the farewell that this gives. */
export function attend(desk: Desk, comments: Comments): () => void {
  const { state } = comments
  const dirty = new Set<CellId>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const drawn = new WeakMap<EditorView, string>()

  const look = (only: ReadonlySet<CellId> | null) => {
    const { threads, found: before } = state.getState()
    const found = new Map<string, Found>()
    for (const thread of threads.values()) {
      const known = before.get(thread.id)
      found.set(thread.id, only === null || only.has(thread.place.cell) || !known ? find(desk.room.doc, thread.place) : known)
    }
    if (only !== null && same(found, before)) return draw()
    state.setState({ found })
  }
  const draw = () => {
    for (const [cell, view] of desk.editors.getState()) {
      const marks = highlights(comments, cell, desk)
      const key = JSON.stringify(marks)
      if (drawn.get(view) === key) continue
      drawn.set(view, key)
      highlight(view, marks, { press: (thread) => focusThread(desk, comments, thread), comment: desk.may('comment') ? () => desk.comment(cell) : null })
    }
  }
  const edited = (events: Y.YEvent<Y.AbstractType<unknown>>[]) => {
    for (const { path, changes, target } of events) {
      if (path.length > 0) dirty.add(String(path[0]))
      else if (target === (cellsOf(desk.room.doc) as unknown)) for (const key of changes.keys.keys()) dirty.add(key)
    }
    timer ??= setTimeout(() => {
      timer = undefined
      const cells = new Set(dirty)
      dirty.clear()
      look(cells)
    }, REST_MS)
  }
  const stops = [
    state.subscribe((now, before) => {
      if (now.threads !== before.threads) look(null)
      if (now.found !== before.found || now.threads !== before.threads) desk.talk.setState({ counts: counted(comments) })
      if (now.found !== before.found || now.focused !== before.focused || now.begun !== before.begun) draw()
    }),
    desk.editors.subscribe(draw),
    desk.room.listen((message) => {
      if (message.type === 'comments') comments.changed(message.thread)
    }),
    desk.room.state.subscribe((now, before) => {
      // What was told while the line was down was told to nobody here.
      if (now.connection === 'online' && before.connection !== 'online') void comments.load()
      if (now.role !== before.role && before.role !== null) void comments.load()
    }),
    desk.talk.subscribe((now, before) => {
      if (now.asked && now.asked !== before.asked) begin(desk, comments, now.asked.cell)
      if (now.shown && now.shown !== before.shown) showCell(desk, comments, now.shown.cell)
    }),
  ]
  cellsOf(desk.room.doc).observeDeep(edited)
  const { asked, shown } = desk.talk.getState()
  if (asked) begin(desk, comments, asked.cell)
  else if (shown) showCell(desk, comments, shown.cell)
  void comments.load()
  return () => {
    clearTimeout(timer)
    cellsOf(desk.room.doc).unobserveDeep(edited)
    for (const stop of stops) stop()
  }
}

function same(a: ReadonlyMap<string, Found>, b: ReadonlyMap<string, Found>): boolean {
  if (a.size !== b.size) return false
  for (const [id, found] of a) if (JSON.stringify(found) !== JSON.stringify(b.get(id))) return false
  return true
}

function counted(comments: Comments): ReadonlyMap<CellId, number> {
  const counts = new Map<CellId, number>()
  const { threads, found } = comments.state.getState()
  for (const { id, place, resolved_at } of threads.values()) {
    const where = found.get(id)
    if (resolved_at === null && where && !(where.kind === 'lost' && where.what === 'cell')) counts.set(place.cell, (counts.get(place.cell) ?? 0) + 1)
  }
  return counts
}

function highlights(comments: Comments, cell: CellId, desk: Desk): Highlight[] {
  const { threads, found, focused, begun } = comments.state.getState()
  const marks: Highlight[] = []
  for (const thread of threads.values()) {
    const where = found.get(thread.id)
    if (thread.place.cell !== cell || thread.resolved_at !== null || where?.kind !== 'range') continue
    marks.push({ thread: thread.id, ...where.range, focused: focused === thread.id })
  }
  if (begun?.cell === cell) {
    const where = find(desk.room.doc, begun)
    if (where.kind === 'range') marks.push({ thread: NEW, ...where.range, focused: true })
  }
  return marks
}

/** A comment on what is selected in the cell; without a selection, on the cell. */
function begin(desk: Desk, comments: Comments, cell: CellId): void {
  comments.begin(placeOf(desk.room.doc, cell, chosen(desk, cell)))
}

function chosen(desk: Desk, cell: CellId): Range | null {
  const main = desk.editors.getState().get(cell)?.state.selection.main
  if (main && !main.empty) return { from: main.from, to: main.to }
  // In a text cell people select what they read, which mostly stands like that in its source.
  const selection = document.getSelection()
  const words = selection && desk.placeOf(cell)?.contains(selection.anchorNode) ? selection.toString().trim() : ''
  const map = cellOf(desk.room.doc, cell)
  if (!words || !map) return null
  const source = textOf(map).toString()
  const from = source.indexOf(words)
  return from === -1 || source.indexOf(words, from + 1) !== -1 ? null : { from, to: from + words.length }
}

function showCell(desk: Desk, comments: Comments, cell: CellId): void {
  const open = [...comments.state.getState().threads.values()].find((thread) => thread.place.cell === cell && thread.resolved_at === null)
  if (open) focusThread(desk, comments, open.id)
}

/** Open the panel at a thread. */
export function focusThread(desk: Desk, comments: Comments, id: string): void {
  const thread = comments.state.getState().threads.get(id)
  if (!thread) return
  const { filter } = comments.state.getState()
  const fits = filter !== 'mine' && (filter === 'resolved') === (thread.resolved_at !== null)
  desk.showComments(true)
  comments.state.setState({ focused: id, minimised: false, ...(!fits && { filter: thread.resolved_at === null ? 'open' : 'resolved' }) })
}

/** Bring what a thread is about into sight, without taking the focus from the panel. */
export function reveal(desk: Desk, comments: Comments, thread: Thread, until = performance.now() + REVEAL_WITHIN_MS): void {
  const root = desk.placeOf(thread.place.cell)
  if (!root) {
    // A long notebook comes onto the page in steps.
    if (desk.outline.current().includes(thread.place.cell) && performance.now() < until) requestAnimationFrame(() => reveal(desk, comments, thread, until))
    return
  }
  const mark = root.querySelector(`[data-thread="${CSS.escape(thread.id)}"]`)
  ;(mark ?? root).scrollIntoView({ block: mark || root.offsetHeight < innerHeight ? 'center' : 'start', behavior: lessMotion() ? 'auto' : 'smooth' })
}
