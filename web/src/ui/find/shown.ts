/** What was found, coloured: in editors by their own means, in still and in rendered text by the browser's highlights. */
import { StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view'
import type { CellId } from '../../model/wire'
import type { Desk } from '../notebook/desk'
import { findIn, type Match, patternOf, type Query, type Range } from './query'

const ALL = 'found'
const CURRENT = 'found-current'
/** Painting more would cost more than it shows. */
const PAINTED_MAX = 5_000

const show = StateEffect.define<{ readonly ranges: readonly Range[]; readonly current: Range | null }>()

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    let next = set.map(transaction.changes)
    for (const effect of transaction.effects) if (effect.is(show)) next = decorated(effect.value, transaction.newDoc.length)
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})

function decorated({ ranges, current }: { readonly ranges: readonly Range[]; readonly current: Range | null }, length: number): DecorationSet {
  const inside = ranges.filter(({ to }) => to <= length)
  return Decoration.set(inside.map((range) => Decoration.mark({ class: current && range.from === current.from ? 'found-mark found-mark-current' : 'found-mark' }).range(range.from, range.to)))
}

export class Shown {
  private readonly all = typeof Highlight === 'undefined' ? null : new Highlight()
  private readonly current = typeof Highlight === 'undefined' ? null : new Highlight()
  private place: Element | null = null

  constructor(private readonly desk: Desk) {
    // Over comments' colours, and the current one over the others.
    if (this.all) this.all.priority = 1
    if (this.current) this.current.priority = 2
  }

  /** The element in rendered text where the current match stands. */
  currentPlace(): Element | null {
    return this.place
  }

  show(matches: readonly Match[], current: Match | null, query: Query): void {
    const byCell = Map.groupBy(matches, ({ cell }) => cell)
    for (const [cell, view] of this.desk.editors.getState()) {
      const ranges = byCell.get(cell) ?? []
      const known = view.state.field(marks, false)
      if (ranges.length === 0 && !known?.size) continue
      view.dispatch({ effects: [...(known ? [] : [StateEffect.appendConfig.of(marks)]), show.of({ ranges, current: current?.cell === cell ? current : null })] })
    }
    this.paint(byCell, current, query)
  }

  clear(): void {
    for (const view of this.desk.editors.getState().values()) {
      if (view.state.field(marks, false)?.size) view.dispatch({ effects: show.of({ ranges: [], current: null }) })
    }
    this.all?.clear()
    this.current?.clear()
    CSS.highlights?.delete(ALL)
    CSS.highlights?.delete(CURRENT)
  }

  private paint(byCell: ReadonlyMap<CellId, readonly Match[]>, current: Match | null, query: Query): void {
    if (!this.all || !this.current) return
    this.all.clear()
    this.current.clear()
    this.place = null
    let left = PAINTED_MAX
    for (const [cell, matches] of byCell) {
      if (left <= 0) break
      const root = this.desk.placeOf(cell)
      const still = root?.querySelector('.source-still')?.firstChild
      const rendered = still ? null : root?.querySelector('.text-shown .markdown')
      const ranges = still ? matches.flatMap(({ from, to }) => staticRange(still, from, still, to)) : rendered ? inRendered(rendered, query) : []
      left -= ranges.length
      for (const range of ranges) this.all.add(range)
      // A rendered text shows what its source says, mostly; where it does not, all of it is as near as one can get.
      const one = current?.cell === cell && ranges.length === matches.length ? ranges[matches.indexOf(current)] : undefined
      if (one) {
        this.current.add(one)
        this.place = one.startContainer.parentElement
      }
    }
    CSS.highlights.set(ALL, this.all)
    CSS.highlights.set(CURRENT, this.current)
  }
}

function staticRange(startContainer: Node, startOffset: number, endContainer: Node, endOffset: number): StaticRange[] {
  const long = (node: Node) => node.nodeValue?.length ?? 0
  if (startOffset > long(startContainer) || endOffset > long(endContainer)) return []
  return [new StaticRange({ startContainer, startOffset, endContainer, endOffset })]
}

/** What is found in a text as it is read: without the signs of Markdown. */
function inRendered(root: Element, query: Query): StaticRange[] {
  // A person's own pattern is not let loose on the page.
  if (query.regex) return []
  const nodes: { readonly node: Node; readonly at: number }[] = []
  let text = ''
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    nodes.push({ node, at: text.length })
    text += node.nodeValue ?? ''
  }
  const place = (offset: number) => nodes.findLast(({ at }) => at <= offset)!
  return findIn(text, patternOf(query), null).flatMap(({ from, to }) => {
    const start = place(from)
    const end = place(to - 1)
    return staticRange(start.node, from - start.at, end.node, to - end.at)
  })
}
