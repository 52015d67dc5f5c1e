/** What of the Language Server Protocol is spoken here. The server is a stranger: what it says is parsed, and bounded. */

/** Lines count from 0, characters in UTF-16. */
export interface Position {
  readonly line: number
  readonly character: number
}
export interface Range {
  readonly start: Position
  readonly end: Position
}
export type Severity = 'error' | 'warning' | 'info' | 'hint'
export interface Diagnostic {
  readonly range: Range
  readonly severity: Severity
  readonly code: string
  readonly message: string
  /** It is never used or never reached. */
  readonly unnecessary: boolean
  /** As it came, for asking what can be done about it. */
  readonly whole: unknown
}
export interface Offer {
  readonly label: string
  readonly insert: string
  readonly kind: string
  readonly detail: string
  /** How to ask for what documents it. */
  readonly documentation: Documented | null
}
export interface Documented {
  readonly of: number
  readonly at: number
}
export interface Signature {
  readonly label: string
  /** Where the parameter stands in the label that is being written. */
  readonly active: readonly [number, number] | null
  readonly doc: string
}
export interface Location {
  readonly uri: string
  readonly range: Range
}
export interface TextEdit {
  readonly range: Range
  readonly text: string
}
export type WorkspaceEdit = ReadonlyMap<string, readonly TextEdit[]>
export interface Action {
  readonly title: string
  readonly edit: WorkspaceEdit
}

const DIAGNOSTICS_MAX = 200
const OFFERS_MAX = 1000
const LOCATIONS_MAX = 2000
const EDITS_MAX = 20_000
const ACTIONS_MAX = 20
const LINE_CHARACTERS_MAX = 500
const DOC_CHARACTERS_MAX = 20_000
const EDIT_CHARACTERS_MAX = 100_000

const KINDS: Readonly<Record<number, string>> = {
  2: 'method', 3: 'function', 4: 'method', 5: 'property', 6: 'variable', 7: 'class', 8: 'interface', 9: 'namespace', 10: 'property', 12: 'constant', 13: 'enum', 14: 'keyword', 20: 'enum', 21: 'constant', 22: 'class', 25: 'type',
}
const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info', 'hint']

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most) : '')
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
/** Plain text, or Markdown; in both forms that the protocol has. */
const doc = (value: unknown): string => text(typeof value === 'string' ? value : fields(value).value, DOC_CHARACTERS_MAX)

function position(value: unknown): Position | null {
  const { line, character } = fields(value)
  return isCount(line) && isCount(character) ? { line, character } : null
}

export function range(value: unknown): Range | null {
  const start = position(fields(value).start)
  const end = position(fields(value).end)
  return start && end ? { start, end } : null
}

export function diagnostics(value: unknown): readonly Diagnostic[] {
  return list(value).slice(0, DIAGNOSTICS_MAX).flatMap((one): Diagnostic[] => {
    const { severity, code, message, tags } = fields(one)
    const place = range(fields(one).range)
    if (!place) return []
    const named = typeof code === 'string' ? code.slice(0, LINE_CHARACTERS_MAX) : ''
    return [{ range: place, severity: SEVERITIES[Number(severity) - 1] ?? 'error', code: named, message: text(message, 2000), unnecessary: list(tags).includes(1), whole: one }]
  })
}

export function offers(value: unknown): readonly Offer[] {
  const { items, of } = fields(value)
  return list(items).slice(0, OFFERS_MAX).flatMap((one): Offer[] => {
    const { label, insertText, kind, detail, at, additionalTextEdits } = fields(one)
    // What would change another place as well is not what was asked for.
    if (typeof label !== 'string' || label === '' || list(additionalTextEdits).length > 0) return []
    const insert = text(insertText, LINE_CHARACTERS_MAX) || label.slice(0, LINE_CHARACTERS_MAX)
    return [{ label: label.slice(0, LINE_CHARACTERS_MAX), insert, kind: KINDS[Number(kind)] ?? 'text', detail: text(detail, LINE_CHARACTERS_MAX), documentation: isCount(of) && isCount(at) ? { of, at } : null }]
  })
}

export function hover(value: unknown): string | null {
  const { contents } = fields(value)
  const parts = Array.isArray(contents) ? contents : [contents]
  return parts.map(doc).filter((part) => part !== '').join('\n\n').slice(0, DOC_CHARACTERS_MAX) || null
}

export function signature(value: unknown): Signature | null {
  const { signatures, activeSignature, activeParameter } = fields(value)
  const all = list(signatures)
  const one = fields(all[isCount(activeSignature) ? activeSignature : 0] ?? all[0])
  const label = text(one.label, 4000)
  if (label === '') return null
  const at = isCount(one.activeParameter) ? one.activeParameter : isCount(activeParameter) ? activeParameter : -1
  const parameters = list(one.parameters)
  return { label, active: stretch(label, fields(parameters[at]).label, parameters.slice(0, at < 0 ? 0 : at)), doc: doc(one.documentation) }
}

/** Where a parameter stands; a label that is text is looked for behind those before it. */
function stretch(label: string, parameter: unknown, before: readonly unknown[]): readonly [number, number] | null {
  if (Array.isArray(parameter) && isCount(parameter[0]) && isCount(parameter[1])) return [parameter[0], parameter[1]]
  if (typeof parameter !== 'string' || parameter === '') return null
  const from = before.reduce<number>((at, one) => {
    const name = fields(one).label
    const found = typeof name === 'string' ? label.indexOf(name, at) : -1
    return found < 0 ? at : found + (name as string).length
  }, 0)
  const found = label.indexOf(parameter, from)
  return found < 0 ? null : [found, found + parameter.length]
}

export function locations(value: unknown): readonly Location[] {
  const all = Array.isArray(value) ? value : value === null ? [] : [value]
  return all.slice(0, LOCATIONS_MAX).flatMap((one): Location[] => {
    const { uri, targetUri, targetSelectionRange } = fields(one)
    const where = text(uri ?? targetUri, 4000)
    const place = range(fields(one).range ?? targetSelectionRange)
    return where !== '' && place ? [{ uri: where, range: place }] : []
  })
}

export function workspaceEdit(value: unknown): WorkspaceEdit {
  const edits = new Map<string, readonly TextEdit[]>()
  let count = 0
  for (const [uri, changes] of Object.entries(fields(fields(value).changes))) {
    const parsed = list(changes).flatMap((one): TextEdit[] => {
      const place = range(fields(one).range)
      const { newText } = fields(one)
      return place && typeof newText === 'string' && newText.length <= EDIT_CHARACTERS_MAX ? [{ range: place, text: newText }] : []
    })
    count += parsed.length
    if (count > EDITS_MAX) return new Map()
    if (parsed.length > 0) edits.set(uri, parsed)
  }
  return edits
}

export function actions(value: unknown): readonly Action[] {
  return list(value).slice(0, ACTIONS_MAX).flatMap((one): Action[] => {
    const { title, edit } = fields(one)
    const parsed = workspaceEdit(edit)
    return typeof title === 'string' && parsed.size > 0 ? [{ title: title.slice(0, LINE_CHARACTERS_MAX), edit: parsed }] : []
  })
}

export const documentation = (value: unknown): string | null => doc(value) || null

/** One text for each cell asked about, null where nothing is to be changed; or why there is nothing. */
export function formatted(value: unknown, count: number): { readonly cells: readonly (string | null)[]; readonly failed: string | null } {
  const { cells, failed } = fields(value)
  const texts = list(cells).map((one) => (typeof one === 'string' ? one : null))
  const why = text(failed, LINE_CHARACTERS_MAX) || (texts.length === count ? null : 'The formatter gave no answer.')
  return { cells: why === null ? texts : [], failed: why }
}
