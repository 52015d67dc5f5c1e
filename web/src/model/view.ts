/** What only this browser knows of a notebook: where the person is, and what is chosen. The rest is in the Y.Doc. */
import type { CellId } from './wire'

export interface View {
  readonly focused: CellId | null
  /** Edit mode: keys go to the text. Command mode: keys act on cells. */
  readonly editing: boolean
  /** More than the focused cell, when Shift and the arrows have chosen more. */
  readonly selected: ReadonlySet<CellId>
  readonly anchor: CellId | null
  /** Text cells that show their source beside the preview. */
  readonly open: ReadonlySet<CellId>
  /** Headings whose sections are collapsed here. */
  readonly folded: ReadonlySet<CellId>
  /** What is shown here though the notebook hides it, or hidden though it shows it; for who may not change that for all. */
  readonly flipped: ReadonlySet<Flip>
}

export type Flip = `${'source' | 'outputs'}:${CellId}`

export type Action =
  | { readonly do: 'focus'; readonly cell: CellId; readonly editing: boolean }
  | { readonly do: 'extend'; readonly to: CellId; readonly order: readonly CellId[] }
  | { readonly do: 'choose'; readonly cells: readonly CellId[] }
  | { readonly do: 'toggle'; readonly cell: CellId; readonly order: readonly CellId[] }
  | { readonly do: 'fold'; readonly cells: readonly CellId[]; readonly folded: boolean }
  | { readonly do: 'flip'; readonly what: 'source' | 'outputs'; readonly cells: readonly CellId[] }
  | { readonly do: 'command' }
  | { readonly do: 'open'; readonly cell: CellId }
  | { readonly do: 'close'; readonly cell: CellId }
  | { readonly do: 'gone'; readonly order: readonly CellId[]; readonly before: readonly CellId[] }

export const FRESH: View = { focused: null, editing: false, selected: new Set(), anchor: null, open: new Set(), folded: new Set(), flipped: new Set() }

export function update(view: View, action: Action): View {
  switch (action.do) {
    case 'focus':
      if (view.focused === action.cell && view.editing === action.editing && view.selected.size === 1 && view.selected.has(action.cell)) return view
      return { ...view, focused: action.cell, editing: action.editing, anchor: action.cell, selected: new Set([action.cell]) }
    case 'extend': {
      const anchor = action.order.indexOf(view.anchor ?? action.to)
      const to = action.order.indexOf(action.to)
      const range = action.order.slice(Math.min(anchor, to), Math.max(anchor, to) + 1)
      return { ...view, focused: action.to, editing: false, selected: new Set(range) }
    }
    case 'choose':
      return { ...view, editing: false, selected: new Set(action.cells), focused: action.cells.at(-1) ?? null, anchor: action.cells[0] ?? null }
    case 'toggle': {
      const selected = new Set(view.selected)
      if (view.focused !== null) selected.add(view.focused)
      if (!selected.delete(action.cell)) selected.add(action.cell)
      // The last one stays: somebody is always somewhere.
      if (selected.size === 0) return view
      const focused = selected.has(action.cell) ? action.cell : (action.order.findLast((id) => selected.has(id)) ?? null)
      return { ...view, editing: false, selected, focused, anchor: focused }
    }
    case 'fold': {
      const folded = new Set(view.folded)
      for (const cell of action.cells) {
        if (action.folded) folded.add(cell)
        else folded.delete(cell)
      }
      return folded.size === view.folded.size && [...folded].every((id) => view.folded.has(id)) ? view : { ...view, folded }
    }
    case 'flip': {
      const flipped = new Set(view.flipped)
      for (const cell of action.cells) if (!flipped.delete(`${action.what}:${cell}`)) flipped.add(`${action.what}:${cell}`)
      return { ...view, flipped }
    }
    case 'command':
      return view.editing ? { ...view, editing: false } : view
    case 'open':
      return view.open.has(action.cell) ? view : { ...view, open: new Set([...view.open, action.cell]) }
    case 'close':
      return view.open.has(action.cell) ? { ...view, open: without(view.open, action.cell) } : view
    case 'gone': {
      const present = new Set(action.order)
      const selected = new Set([...view.selected].filter((id) => present.has(id)))
      if (view.focused === null || present.has(view.focused)) return selected.size === view.selected.size ? view : { ...view, selected }
      const index = action.before.indexOf(view.focused)
      const next = action.before.slice(index).find((id) => present.has(id)) ?? action.order.at(-1) ?? null
      return { ...view, focused: next, editing: false, anchor: next, selected: new Set(next === null ? [] : [next]) }
    }
    default:
      return never(action)
  }
}

function without(set: ReadonlySet<CellId>, id: CellId): ReadonlySet<CellId> {
  return new Set([...set].filter((other) => other !== id))
}

function never(value: never): never {
  throw new Error(`no such action: ${JSON.stringify(value)}`)
}
