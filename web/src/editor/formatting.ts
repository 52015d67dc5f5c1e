/** Markdown written for those who do not know it by heart: each a change of what is selected, which a second press takes back. */
import type { EditorState, TransactionSpec } from '@codemirror/state'

export type Format = (state: EditorState) => TransactionSpec

const userEvent = 'input.format'

/** Between marks, or out of them when it stands between them already. */
export const around = (before: string, after: string, sample: string): Format => (state) => {
  const { from, to } = state.selection.main
  const inner = state.sliceDoc(from, to)
  if (inner !== '' && state.sliceDoc(from - before.length, from) === before && state.sliceDoc(to, to + after.length) === after && !doubled(state, before, from)) {
    const changes = [{ from: from - before.length, to: from }, { from: to, to: to + after.length }]
    return { changes, selection: { anchor: from - before.length, head: to - before.length }, userEvent }
  }
  const words = inner || sample
  return { changes: { from, to, insert: before + words + after }, selection: { anchor: from + before.length, head: from + before.length + words.length }, userEvent }
}

/** `*` around what stands between `**` is emphasis within strength, not the half of it. */
function doubled(state: EditorState, mark: string, from: number): boolean {
  return mark === '*' && state.sliceDoc(Math.max(0, from - 2), from) === '**' && state.sliceDoc(Math.max(0, from - 3), from) !== '***'
}

/** A link: the words are kept, an address that is selected becomes where it leads. */
export const link: Format = (state) => {
  const { from, to } = state.selection.main
  const words = state.sliceDoc(from, to)
  if (/^https?:\/\/\S+$/.test(words)) return { changes: { from, to, insert: `[](${words})` }, selection: { anchor: from + 1 }, userEvent }
  const label = words || 'link'
  const address = from + label.length + 3
  return { changes: { from, to, insert: `[${label}](https://)` }, selection: { anchor: address, head: address + 'https://'.length }, userEvent }
}

const MARK = /^([ \t]*)(?:(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|>[ \t]?)?/

/** Every line that is selected with this before it; where all have it already, none. */
export const lines = (prefix: (at: number) => string, mark: RegExp): Format => (state) => {
  const { doc, selection } = state
  const first = doc.lineAt(selection.main.from).number
  const last = doc.lineAt(selection.main.to).number
  const all = Array.from({ length: last - first + 1 }, (_, at) => doc.line(first + at))
  const marked = all.every((line) => mark.test(line.text))
  const changes = all.map((line, at) => {
    const [whole, indent = ''] = MARK.exec(line.text)!
    return { from: line.from + indent.length, to: line.from + whole.length, insert: marked ? '' : prefix(at) }
  })
  const set = state.changes(changes)
  return { changes: set, selection: selection.map(set, 1), userEvent }
}

export const list = lines(() => '- ', /^\s*[-*+]\s(?!\[[ xX]\])/)
export const numbered = lines((at) => `${at + 1}. `, /^\s*\d{1,9}[.)]\s/)
export const todo = lines(() => '- [ ] ', /^\s*[-*+]\s\[[ xX]\]\s/)
export const quote = lines(() => '> ', /^\s*>/)

/** From text to a heading, from there to smaller ones, and back to text. */
export const heading: Format = (state) => {
  const line = state.doc.lineAt(state.selection.main.head)
  const marks = /^(#*) ?/.exec(line.text)!
  const level = marks[1]!.length % 4
  const changes = state.changes({ from: line.from, to: line.from + marks[0].length, insert: level === 3 ? '' : `${'#'.repeat(level + 1)} ` })
  return { changes, selection: state.selection.map(changes, 1), userEvent }
}

/** A block of its own, with empty lines around it. */
export const block = (text: string, chosen: string): Format => (state) => {
  const { to } = state.selection.main
  const line = state.doc.lineAt(to)
  const before = line.text.trim() === '' ? (line.number > 1 && state.doc.line(line.number - 1).text.trim() !== '' ? '\n' : '') : '\n\n'
  const after = line.number < state.doc.lines && state.doc.line(line.number + 1).text.trim() !== '' ? '\n\n' : '\n'
  const anchor = line.to + before.length + (chosen === '' ? text.length : text.indexOf(chosen))
  return { changes: { from: line.to, insert: before + text + after }, selection: { anchor, head: anchor + chosen.length }, userEvent }
}

export const table = block('| Column | Column |\n| --- | --- |\n| cell | cell |', 'Column')
export const rule = block('---', '')
export const diagram = block('```mermaid\nflowchart LR\n  A --> B\n```', 'A --> B')
/** What is selected as code: a word between signs, lines between fences. */
export const code: Format = (state) => {
  const { from, to } = state.selection.main
  const words = state.sliceDoc(from, to)
  if (!words.includes('\n')) return around('`', '`', 'code')(state)
  return { changes: { from, to, insert: `\`\`\`\n${words.replace(/\n$/, '')}\n\`\`\`\n` }, selection: { anchor: from + 3 }, userEvent }
}
export const bold = around('**', '**', 'bold')
export const italic = around('*', '*', 'italic')
export const strike = around('~~', '~~', 'struck')
export const formula: Format = (state) => {
  const words = state.sliceDoc(state.selection.main.from, state.selection.main.to)
  return words.includes('\n') ? around('$$\n', '\n$$', '')(state) : around('$', '$', '\\sqrt{n}')(state)
}
