/** Colab's forms: comments in a code cell that describe fields, and what a field's change does to the code. */
import { type Relaxed, RelaxedReader } from './relaxed'
import { literalText, quoted } from './pythonLiteral'

export type FieldType = 'string' | 'raw' | 'date' | 'number' | 'integer' | 'slider' | 'boolean'

export interface Param {
  readonly kind: 'param'
  /** The line it stands in, from 0. */
  readonly line: number
  /** What is assigned to: usually a name. */
  readonly name: string
  readonly type: FieldType
  /** Present: a choice among these. */
  readonly options: readonly Relaxed[] | null
  /** With options: something else may be written as well. */
  readonly allowInput: boolean
  readonly min: number | null
  readonly max: number | null
  readonly step: number | null
  readonly placeholder: string
  /** Where the value stands in the source, in UTF-16 units. */
  readonly from: number
  readonly to: number
  /** The value as Python writes it. */
  readonly code: string
}
export interface Note {
  readonly kind: 'markdown'
  readonly line: number
  readonly text: string
}
export interface Title {
  readonly line: number
  readonly text: string
  /** Run again whenever a field changes, once a person has run it. */
  readonly auto: boolean
  /** A share of the cell's width, as CSS writes it; null: the usual one. */
  readonly width: string | null
}
export interface Form {
  readonly title: Title | null
  readonly rows: readonly (Param | Note)[]
}

const ASSIGNED = /^(\s*)([\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*|\[[^\]\n]*\])*)\s*(?::\s*[^=\n]+?)?\s*=(?!=)\s*/u
const COMMENT = /^\s*#\s*@(title|markdown)\b[^\S\n]?(.*)$/
const PARAM = /^#\s*@param\b(.*)$/
const WIDTH = /^\d{1,3}(?:\.\d+)?(?:%|px|em)$/
const TYPES: ReadonlySet<string> = new Set<FieldType>(['string', 'raw', 'date', 'number', 'integer', 'slider', 'boolean'])

/** The form in a cell's source; null when there is none. */
export function parseForm(source: string): Form | null {
  let title: Title | null = null
  const rows: (Param | Note)[] = []
  let offset = 0
  source.split('\n').forEach((text, line) => {
    const comment = COMMENT.exec(text)
    if (comment?.[1] === 'title') title ??= titleOf(comment[2]!, line)
    else if (comment) rows.push({ kind: 'markdown', line, text: comment[2]!.trim() })
    else {
      const param = text.includes('@param') ? paramOf(text, line, offset) : null
      if (param) rows.push(param)
    }
    offset += text.length + 1
  })
  return title === null && rows.length === 0 ? null : { title, rows }
}

function titleOf(rest: string, line: number): Title {
  const at = rest.search(/\{[^{}]*:[^{}]*\}\s*$/)
  const options = at === -1 ? {} : optionsOf(rest.slice(at)).options
  const width = options['form-width']
  return {
    line,
    text: (at === -1 ? rest : rest.slice(0, at)).trim(),
    auto: options['run'] === 'auto',
    width: typeof width === 'string' && WIDTH.test(width) ? width : null,
  }
}

function paramOf(text: string, line: number, offset: number): Param | null {
  const assigned = ASSIGNED.exec(text)
  if (!assigned) return null
  const begin = assigned[0].length
  const hash = commentAt(text, begin)
  const said = hash === -1 ? null : PARAM.exec(text.slice(hash))
  if (!said) return null
  const code = text.slice(begin, hash).trimEnd()
  if (code === '') return null
  const { list, options } = optionsOf(said[1]!)
  const given = options['type']
  const type = typeof given === 'string' && TYPES.has(given) ? (given as FieldType) : list ? 'string' : guessed(code)
  const number = (key: string) => (typeof options[key] === 'number' ? options[key] : null)
  return {
    kind: 'param', line, name: assigned[2]!, type, options: list, allowInput: options['allow-input'] === true,
    min: number('min'), max: number('max'), step: number('step'),
    placeholder: typeof options['placeholder'] === 'string' ? options['placeholder'] : '',
    from: offset + begin, to: offset + begin + code.length, code,
  }
}

/** Where the comment of a line of Python begins, from `at` on; -1 without one. A `#` in a string is no comment. */
function commentAt(text: string, at: number): number {
  let quote: string | null = null
  for (let i = at; i < text.length; i += 1) {
    const letter = text[i]!
    if (quote !== null) {
      if (letter === '\\') i += 1
      else if (text.startsWith(quote, i)) {
        i += quote.length - 1
        quote = null
      }
    } else if (letter === '#') return i
    else if (letter === '"' || letter === "'") {
      quote = text.startsWith(letter.repeat(3), i) ? letter.repeat(3) : letter
      i += quote.length - 1
    }
  }
  return -1
}

interface Said {
  readonly list: readonly Relaxed[] | null
  readonly options: Readonly<Record<string, Relaxed>>
}

/** A list and options in either order; what follows them is a comment of its author's. */
function optionsOf(text: string): Said {
  const reader = new RelaxedReader(text)
  let list: readonly Relaxed[] | null = null
  let options: Readonly<Record<string, Relaxed>> = {}
  for (;;) {
    const value = reader.next()
    if (Array.isArray(value)) list ??= value as readonly Relaxed[]
    else if (typeof value === 'object' && value !== null) options = { ...(value as Record<string, Relaxed>), ...options }
    else return { list, options }
  }
}

function guessed(code: string): FieldType {
  if (code === 'True' || code === 'False') return 'boolean'
  if (/^[+-]?\d+$/.test(code)) return 'integer'
  if (code !== '' && Number.isFinite(Number(code))) return 'number'
  return literalText(code) === null ? 'raw' : 'string'
}

/** What the field shows: text without its quotes, or the code as it stands. */
export function shownValue(param: Param): string {
  return param.type === 'string' || param.type === 'date' ? (literalText(param.code) ?? param.code) : param.code
}

export const isOn = (param: Param): boolean => param.code === 'True' || param.code === '1'

/** How an option is written into the code. */
export function optionCode(param: Param, option: Relaxed): string {
  if (param.type === 'raw') return typeof option === 'string' ? option : pythonOf(option)
  return typeof option === 'string' ? quoted(option, param.code) : pythonOf(option)
}

export function pythonOf(value: Relaxed): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((one: Relaxed) => pythonOf(one)).join(', ')}]`
  return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pythonOf(one)}`).join(', ')}}`
}

/** The code for what a person wrote into the field; null: it does not fit the field. */
export function written(param: Param, value: string): string | null {
  const line = value.replace(/[\r\n]+/g, ' ')
  switch (param.type) {
    case 'string':
      return quoted(line, param.code)
    case 'date':
      return line === '' || /^\d{4}-\d{2}-\d{2}$/.test(line) ? quoted(line, param.code) : null
    case 'raw':
      // A comment would take the field's own description along.
      return line.trim() === '' ? 'None' : commentAt(line, 0) === -1 ? line.trim() : null
    case 'integer':
      return /^\s*[+-]?\d+\s*$/.test(line) ? line.trim() : null
    case 'number': case 'slider':
      return line.trim() !== '' && Number.isFinite(Number(line)) ? line.trim() : null
    case 'boolean':
      return line === 'True' || line === 'False' ? line : null
  }
}
