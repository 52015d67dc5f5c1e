/** IPython's own lines in a Python cell: `%%cell` magics, `%line` magics and `!shell`. */
import { type EditorState, type Extension, RangeSetBuilder } from '@codemirror/state'
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'

/** What a cell magic takes, as the ending of a file with such a text. */
const ENDINGS: ReadonlyMap<string, string> = new Map(Object.entries({
  bash: 'sh', sh: 'sh', shell: 'sh', system: 'sh', sx: 'sh', html: 'html', svg: 'svg', javascript: 'js', js: 'js', markdown: 'md', latex: 'tex', css: 'css', ruby: 'rb',
  sql: 'sql', bigquery: 'sql', duckdb: 'sql', r: 'r', julia: 'jl', python: 'py', python3: 'py', pypy: 'py', time: 'py', timeit: 'py', capture: 'py', prun: 'py', debug: 'py', mprun: 'py',
}))
const INTERPRETERS: ReadonlyMap<string, string> = new Map(Object.entries({ bash: 'sh', sh: 'sh', zsh: 'sh', python: 'py', python3: 'py', node: 'js', ruby: 'rb', rscript: 'r', julia: 'jl' }))

/** What the cell under this first line is; null: Python, as no cell magic stands there. A magic that is not known takes plain text. */
export function endingOf(first: string): string | null {
  const [, name, rest = ''] = /^%%(\w+)(.*)$/.exec(first) ?? []
  if (name === undefined) return null
  const words = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'))
  if (name === 'writefile' || name === 'file') return /\.(\w+)$/.exec(words[0] ?? '')?.[1]?.toLowerCase() ?? 'txt'
  if (name === 'script') return INTERPRETERS.get(words[0]?.split('/').at(-1)?.toLowerCase() ?? '') ?? 'txt'
  return ENDINGS.get(name.toLowerCase()) ?? 'txt'
}

export interface Piece {
  readonly from: number
  readonly to: number
  readonly kind: 'mark' | 'name' | 'string' | 'value' | 'comment'
}

/** `!pip`, `!!ls`, `files = !ls`, `%timeit`, `x = %pwd`, `%%bash`: a modulo or a negation never stands so. */
const LINE = /^(\s*(?:[A-Za-z_][\w., ]*=\s*)?)(?:(!{1,2})\s*(?=\S)|(%%?)(?=[A-Za-z_]))/
const WORDS = /(["'])(?:\\.|(?!\1).)*\1?|\{[^{}\n]*\}|\$\w+|(?<=\s)#.*/g

/** The coloured pieces of such a line, as offsets into it; null: it is plain Python. */
export function piecesOf(line: string): { readonly from: number; readonly pieces: readonly Piece[] } | null {
  const found = LINE.exec(line)
  if (!found) return null
  const from = found[1]!.length
  const name = found[0].length
  const first = /^\S+/.exec(line.slice(name))![0].length
  const pieces: Piece[] = [{ from, to: name, kind: 'mark' }, { from: name, to: name + first, kind: 'name' }]
  WORDS.lastIndex = name + first
  for (let word = WORDS.exec(line); word !== null; word = WORDS.exec(line)) {
    const kind = word[0].startsWith('#') ? 'comment' : /^["']/.test(word[0]) ? 'string' : 'value'
    pieces.push({ from: word.index, to: word.index + word[0].length, kind })
  }
  return { from, pieces }
}

const MARKS = Object.fromEntries((['mark', 'name', 'string', 'value', 'comment'] as const).map((kind) => [kind, Decoration.mark({ class: `magic-${kind}` })]))
const LINES = Decoration.line({ class: 'magic-line' })

function decorated({ state, visibleRanges }: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>()
  const only = endingOf(state.doc.line(1).text)
  for (const { from, to } of visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = state.doc.lineAt(at)
      at = line.to + 1
      // Under a cell magic for another language there is nothing of IPython's but the first line.
      const found = only !== null && only !== 'py' && line.number > 1 ? null : piecesOf(line.text)
      if (!found || quoted(state, line.from)) continue
      builder.add(line.from, line.from, LINES)
      for (const { from: start, to: end, kind } of found.pieces) if (start < end) builder.add(line.from + start, line.from + end, MARKS[kind]!)
    }
  }
  return builder.finish()
}

/** A line inside a text between three quotes is that text. */
function quoted(state: EditorState, at: number): boolean {
  const before = state.sliceDoc(Math.max(0, at - QUOTED_LOOK), at).replace(/#.*/g, '')
  const opened = (marks: string) => before.split(marks).length % 2 === 0
  return opened('"""') || opened("'''")
}
const QUOTED_LOOK = 4000

export const magicLines: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = decorated(view)
    }
    update({ docChanged, viewportChanged, view }: ViewUpdate): void {
      if (docChanged || viewportChanged) this.decorations = decorated(view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)
