/** Finding in one open notebook: what is looked for, where, what was found, and replacing it. */
import { EditorView } from '@codemirror/view'
import * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { t, tn } from '../../i18n'
import { number } from '../../i18n/formats'
import { factsOf } from '../../model/facts'
import { CELL_OPERATION, cellOf, textOf, typeOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { shownCode, toggleCode } from '../forms/shownCode'
import { notify } from '../kit'
import type { Desk } from '../notebook/desk'
import { reveal } from '../notebook/folding'
import { untilDrawn } from '../notebook/sight'
import { type Found, FOUND_MAX, type Match, type Query, type Range } from './query'
import { Searcher, type Texts, TooSlow } from './search'
import { Shown } from './shown'

export type Kinds = 'all' | 'code' | 'text'

/** Where is looked: in these cells, or in a stretch of one. Relative, so that it grows and shrinks with what is typed. */
export type Scope = { readonly cells: ReadonlySet<CellId> } | { readonly cell: CellId; readonly from: Y.RelativePosition; readonly to: Y.RelativePosition }

export interface Finding {
  readonly query: Query
  readonly kinds: Kinds
  readonly scope: Scope | null
  readonly replacement: string
  readonly matches: readonly Match[]
  /** There are more than are told. */
  readonly capped: boolean
  /** The place among them where the person is; -1: nowhere. */
  readonly current: number
  readonly problem: string | null
}

const NOTHING: Finding = { query: { text: '', regex: false, matchCase: false, wholeWord: false }, kinds: 'all', scope: null, replacement: '', matches: [], capped: false, current: -1, problem: null }

/** While somebody types, what was found is found again after this. */
const REST_MS = 150

const finders = new WeakMap<Desk, Finder>()

export function finderOf(desk: Desk): Finder {
  const made = finders.get(desk) ?? new Finder(desk)
  finders.set(desk, made)
  return made
}

export class Finder {
  readonly state: StoreApi<Finding> = createStore<Finding>(() => NOTHING)
  private readonly searcher = new Searcher()
  private readonly shown: Shown
  private timer: ReturnType<typeof setTimeout> | undefined
  private turn = 0
  private farewells: (() => void)[] = []

  constructor(private readonly desk: Desk) {
    this.shown = new Shown(desk)
  }

  /** The bar is there: look, and look again when something changes. */
  open(): void {
    this.close()
    const { doc } = this.desk.room
    const later = () => {
      this.timer ??= setTimeout(() => void this.find(), REST_MS)
    }
    doc.on('update', later)
    this.farewells = [() => doc.off('update', later), this.desk.editors.subscribe(() => this.show()), this.desk.folding.layout.subscribe(later)]
    void this.find()
  }

  /** The bar is gone; what was looked for is kept for the next time. */
  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    for (const farewell of this.farewells) farewell()
    this.farewells = []
    this.searcher.end()
    this.shown.clear()
  }

  /** Look for something else, or elsewhere. */
  ask(change: Partial<Pick<Finding, 'query' | 'kinds' | 'scope' | 'replacement'>>): void {
    this.state.setState(change)
    if ('replacement' in change && Object.keys(change).length === 1) return
    void this.find(true)
  }

  step(by: -1 | 1): void {
    const { matches, current } = this.state.getState()
    if (matches.length === 0) return
    const next = current < 0 ? (by > 0 ? 0 : matches.length - 1) : (current + by + matches.length) % matches.length
    this.goTo(next)
  }

  /** Put the cursor where the person has got to. */
  enter(): boolean {
    const { matches, current } = this.state.getState()
    const match = matches[current]
    if (!match) return false
    if (this.desk.type(match.cell) === 'markdown' && !this.desk.may('write')) {
      this.desk.goTo(match.cell)
      return true
    }
    this.desk.goTo(match.cell, true)
    const view = this.desk.editors.getState().get(match.cell)
    view?.dispatch({ selection: { anchor: match.from, head: Math.min(match.to, view.state.doc.length) }, scrollIntoView: true })
    return true
  }

  /** What is selected now is where is looked from now on: a text, or cells. Null: there is nothing selected. */
  selection(): Scope | null {
    const { focused } = this.desk.view.getState()
    const view = focused === null ? undefined : this.desk.editors.getState().get(focused)
    const main = view?.state.selection.main
    const cell = focused === null ? undefined : cellOf(this.desk.room.doc, focused)
    if (main && !main.empty && cell) {
      const text = textOf(cell)
      return { cell: focused!, from: Y.createRelativePositionFromTypeIndex(text, main.from), to: Y.createRelativePositionFromTypeIndex(text, main.to, -1) }
    }
    const cells = new Set(this.desk.chosen)
    return cells.size > 0 ? { cells } : null
  }

  /** Write something else in the place of the current match, and go on. */
  async replace(): Promise<void> {
    const { matches, current } = this.state.getState()
    const match = matches[current]
    if (!match) return this.step(1)
    if (this.isReadOnly(match.cell)) {
      notify({ title: t('This cell is read-only') })
      return this.step(1)
    }
    const found = await this.replacements([[match.cell, this.textOf(match.cell)]])
    const one = found?.get(match.cell)?.find(({ from, to }) => from === match.from && to === match.to)
    if (one) this.write(new Map([[match.cell, [one]]]))
    await this.find(false, one ? { cell: match.cell, at: match.from + one.instead!.length } : undefined)
    const { current: next } = this.state.getState()
    if (next >= 0) this.goTo(next)
  }

  /** Replace all that was found, as one step that can be taken back. */
  async replaceAll(): Promise<void> {
    const { matches, capped } = this.state.getState()
    const cells = [...new Set(matches.map(({ cell }) => cell))]
    const open = cells.filter((cell) => !this.isReadOnly(cell))
    const texts = open.map((cell) => [cell, this.textOf(cell)] as const)
    const found = await this.replacements(texts)
    if (!found) return
    const inScope = new Map([...found].map(([cell, all]) => [cell, this.within(cell, all)]))
    // Somebody may have typed while a pattern was at work: their cell is left as it is, and found again.
    const still = new Map([...inScope].filter(([cell, all]) => all.length > 0 && texts.some(([id, text]) => id === cell && text === this.textOf(cell))))
    this.write(still)
    const count = [...still.values()].reduce((sum, all) => sum + all.length, 0)
    const kept = cells.length - open.length
    const details = [
      ...(capped ? [t('There are more: replace all once more for the next {most}.', { most: number(FOUND_MAX) })] : []),
      ...(kept > 0 ? [tn('{count} cell is read-only, and was left as it is.', '{count} cells are read-only, and were left as they are.', kept)] : []),
    ]
    notify({
      title: tn('{count} replaced', '{count} replaced', count),
      ...(details.length > 0 && { detail: details.join(' ') }),
      ...(count > 0 && { kind: 'good' as const, action: { label: t('Undo'), run: () => this.desk.undo() } }),
    })
    await this.find()
  }

  private isReadOnly(id: CellId): boolean {
    const cell = cellOf(this.desk.room.doc, id)
    return !cell || !this.desk.may('write') || factsOf(cell).readOnly
  }

  private textOf(id: CellId): string {
    const cell = cellOf(this.desk.room.doc, id)
    return cell ? textOf(cell).toString() : ''
  }

  private async replacements(texts: Texts): Promise<ReadonlyMap<CellId, readonly Found[]> | null> {
    const { query, replacement } = this.state.getState()
    try {
      return (await this.searcher.search({ query, texts, replacement })).found
    } catch (error) {
      this.state.setState({ problem: problemOf(error) })
      return null
    }
  }

  private write(found: ReadonlyMap<CellId, readonly Found[]>): void {
    const { doc } = this.desk.room
    doc.transact(() => {
      for (const [id, all] of found) {
        const text = textOf(cellOf(doc, id)!)
        for (const { from, to, instead } of all.toReversed()) {
          text.delete(from, to - from)
          text.insert(from, instead!.toWellFormed())
        }
      }
    }, CELL_OPERATION)
  }

  /** `afresh`: another question, so one begins where the person is. `after`: one goes on behind this place. */
  private async find(afresh = false, after?: { readonly cell: CellId; readonly at: number }): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const turn = ++this.turn
    const { query, kinds, scope, matches: before, current } = this.state.getState()
    if (query.text === '') return this.found([], false, -1, null)
    const order = this.desk.outline.current()
    const texts = order.flatMap((id) => (this.looksIn(id, kinds, scope) ? [[id, this.textOf(id)] as const] : []))
    try {
      const { found, capped } = await this.searcher.search({ query, texts, replacement: null })
      if (turn !== this.turn) return
      const matches = texts.flatMap(([cell]) => this.within(cell, found.get(cell) ?? []).map(({ from, to }) => ({ cell, from, to })))
      const here = after ?? (afresh ? this.cursor() : before[current] && { cell: before[current].cell, at: before[current].from })
      this.found(matches, capped, here ? placeFrom(order, matches, here) : current < 0 && !afresh ? -1 : 0, null)
      if (afresh) this.peek()
    } catch (error) {
      if (turn === this.turn) this.found([], false, -1, problemOf(error))
    }
  }

  private found(matches: readonly Match[], capped: boolean, current: number, problem: string | null): void {
    this.state.setState({ matches, capped, current: Math.min(current, matches.length - 1), problem })
    this.show()
  }

  private looksIn(id: CellId, kinds: Kinds, scope: Scope | null): boolean {
    const cell = cellOf(this.desk.room.doc, id)
    if (!cell || (kinds !== 'all' && (typeOf(cell) === 'code') !== (kinds === 'code'))) return false
    return scope === null || ('cells' in scope ? scope.cells.has(id) : scope.cell === id)
  }

  private within<One extends Range>(cell: CellId, found: readonly One[]): readonly One[] {
    const { scope } = this.state.getState()
    if (scope === null || 'cells' in scope || scope.cell !== cell) return found
    const { doc } = this.desk.room
    const from = Y.createAbsolutePositionFromRelativePosition(scope.from, doc)?.index ?? 0
    const to = Y.createAbsolutePositionFromRelativePosition(scope.to, doc)?.index ?? 0
    return found.filter((one) => one.from >= from && one.to <= to)
  }

  private cursor(): { cell: CellId; at: number } | undefined {
    const { focused } = this.desk.view.getState()
    if (focused === null) return undefined
    return { cell: focused, at: this.desk.editors.getState().get(focused)?.state.selection.main.from ?? 0 }
  }

  private goTo(current: number): void {
    this.state.setState({ current })
    this.peek(true)
    this.show()
  }

  /** Bring the current match into sight, with all that hides it opened; the focus stays in the bar. */
  private peek(focus = false): void {
    const { matches, current } = this.state.getState()
    const match = matches[current]
    const cell = match && cellOf(this.desk.room.doc, match.cell)
    if (!match || !cell) return
    const { desk } = this
    if (focus) desk.act({ do: 'focus', cell: match.cell, editing: false })
    reveal(desk, match.cell)
    const flipped = desk.view.getState().flipped.has(`source:${match.cell}`)
    if (typeOf(cell) === 'code' && factsOf(cell).sourceHidden !== flipped) desk.act({ do: 'flip', what: 'source', cells: [match.cell] })
    // What has just been opened is on the page with the next frame.
    requestAnimationFrame(() => untilDrawn(() => this.scroll(match, true)))
  }

  private scroll({ cell, from, to }: Match, first: boolean): void {
    const { desk } = this
    const root = desk.placeOf(cell)
    if (!root) return
    if (first && desk.type(cell) === 'code' && !root.querySelector('.source')) {
      if (!shownCode.getState().has(cell)) toggleCode(cell)
      return void requestAnimationFrame(() => this.scroll({ cell, from, to }, false))
    }
    const source = root.querySelector('.source')
    if (!source) {
      root.scrollIntoView({ block: 'nearest' })
      this.show()
      this.shown.currentPlace()?.scrollIntoView({ block: 'nearest' })
      return
    }
    root.scrollIntoView({ block: root.offsetHeight < innerHeight / 2 ? 'center' : 'nearest' })
    desk.pool.need(source)
    const view = desk.editors.getState().get(cell)
    if (view && to <= view.state.doc.length) view.dispatch({ effects: EditorView.scrollIntoView(from, { y: 'center', x: 'nearest' }) })
    this.show()
  }

  private show(): void {
    if (this.farewells.length === 0) return
    const { matches, current, query } = this.state.getState()
    this.shown.show(matches, matches[current] ?? null, query)
  }
}

/** The first match at this place or behind it; at the end one begins anew. */
export function placeFrom(order: readonly CellId[], matches: readonly Match[], { cell, at }: { readonly cell: CellId; readonly at: number }): number {
  if (matches.length === 0) return -1
  const places = new Map(order.map((id, index) => [id, index]))
  const here = places.get(cell) ?? 0
  const next = matches.findIndex((match) => {
    const there = places.get(match.cell) ?? 0
    return there > here || (there === here && match.from >= at)
  })
  return Math.max(0, next)
}

function problemOf(error: unknown): string {
  if (error instanceof TooSlow) return t('This pattern takes too long. Make it simpler.')
  if (error instanceof SyntaxError) return t('This is not a regular expression: {reason}', { reason: error.message.replace(/^Invalid regular expression: (?:\/.*\/\w*: )?/s, '') })
  throw error
}
