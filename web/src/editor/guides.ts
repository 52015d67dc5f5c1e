/** Thin lines at every step of the indentation, so that one sees which block a line belongs to. */
import { type EditorState, type Line, RangeSetBuilder } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'

/** So far is looked for the text around empty lines. */
const BLANK_LINES_MAX = 200

/** How many columns stand empty before a line's text; null: it has none. */
function indentOf({ text }: Line, tabSize: number): number | null {
  let columns = 0
  for (const sign of text) {
    if (sign === ' ') columns += 1
    else if (sign === '\t') columns += tabSize - (columns % tabSize)
    else return columns
  }
  return null
}

/** The columns that get lines: an empty line has those that both its neighbours have. */
export function guidedColumns(state: EditorState, line: Line): number {
  const own = indentOf(line, state.tabSize)
  if (own !== null) return own
  const beside = (step: -1 | 1): number => {
    for (let away = 1; away <= BLANK_LINES_MAX; away++) {
      const number = line.number + step * away
      if (number < 1 || number > state.doc.lines) return 0
      const found = indentOf(state.doc.line(number), state.tabSize)
      if (found !== null) return found
    }
    return 0
  }
  return Math.min(beside(-1), beside(1))
}

const marks = new Map<number, Decoration>()

function markOf(columns: number): Decoration {
  const found = marks.get(columns) ?? Decoration.line({ class: 'cm-guided', attributes: { style: `--guides: ${columns}ch` } })
  marks.set(columns, found)
  return found
}

function drawn(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>()
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at)
      const columns = Math.min(200, guidedColumns(view.state, line))
      if (columns > 0) builder.add(line.from, line.from, markOf(columns))
      at = line.to + 1
    }
  }
  return builder.finish()
}

const drawing = ViewPlugin.fromClass(
  class {
    marks: DecorationSet
    constructor(view: EditorView) {
      this.marks = drawn(view)
    }
    update({ docChanged, viewportChanged, view }: ViewUpdate) {
      if (docChanged || viewportChanged) this.marks = drawn(view)
    }
  },
  { decorations: ({ marks }) => marks },
)

const LINES = 'repeating-linear-gradient(90deg, var(--line) 0 1px, transparent 1px calc(var(--code-indent) * 1ch)) 0 0 / var(--guides) 100% no-repeat'

export const guides = [drawing, EditorView.theme({ '.cm-line.cm-guided': { background: `${LINES}, var(--code-rulers)`, backgroundOrigin: 'content-box' } })]
