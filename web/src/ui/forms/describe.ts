/** A field as the dialog sees it, and the line of code that describes it. */
import { type FieldType, type Param, pythonOf } from '../../model/forms'
import { quoted } from '../../model/pythonLiteral'
import { type Relaxed, RelaxedReader } from '../../model/relaxed'

export type FieldKind = FieldType | 'dropdown' | 'markdown'

export interface FieldDraft {
  readonly kind: FieldKind
  readonly name: string
  /** One a line, for a dropdown. */
  readonly options: string
  readonly allowInput: boolean
  readonly min: string
  readonly max: string
  readonly step: string
  readonly placeholder: string
  /** Of a note. */
  readonly text: string
}

export const BLANK: FieldDraft = { kind: 'string', name: '', options: '', allowInput: false, min: '0', max: '100', step: '1', placeholder: '', text: '' }

export function draftOf(param: Param): FieldDraft {
  const number = (value: number | null, usual: string) => (value === null ? usual : String(value))
  return {
    ...BLANK,
    kind: param.options ? 'dropdown' : param.type, name: param.name, allowInput: param.allowInput, placeholder: param.placeholder,
    options: (param.options ?? []).map((option) => (typeof option === 'string' ? option : JSON.stringify(option))).join('\n'),
    min: number(param.min, ''), max: number(param.max, ''), step: number(param.step, ''),
  }
}

/** What keeps this draft from being a field; null: nothing. */
export function problemOf(draft: FieldDraft): 'name' | 'options' | 'range' | null {
  if (draft.kind === 'markdown') return null
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(draft.name)) return 'name'
  if (draft.kind === 'dropdown' && optionsOf(draft).length === 0) return 'options'
  const sizes = [draft.min, draft.max, draft.step].filter((size) => size.trim() !== '')
  if (RANGED.has(draft.kind) && (sizes.some((size) => !Number.isFinite(Number(size))) || Number(draft.min || '-Infinity') > Number(draft.max || 'Infinity'))) return 'range'
  return null
}

export const RANGED: ReadonlySet<FieldKind> = new Set(['slider', 'number', 'integer'])

const optionsOf = (draft: FieldDraft): string[] => draft.options.split('\n').map((line) => line.trim()).filter((line) => line !== '')

/** The line of the cell; `code` is the value it keeps when it fits. */
export function lineOf(draft: FieldDraft, code: string | null, indent = ''): string {
  if (draft.kind === 'markdown') return `${indent}# @markdown ${draft.text.replace(/\s*\n\s*/g, ' ')}`
  return `${indent}${draft.name} = ${code ?? initial(draft)} # @param ${said(draft)}`
}

function said(draft: FieldDraft): string {
  if (draft.kind === 'dropdown') return `${JSON.stringify(optionsOf(draft))}${draft.allowInput ? ' {"allow-input":true}' : ''}`
  const options: Record<string, Relaxed> = { type: draft.kind }
  if (RANGED.has(draft.kind)) for (const key of ['min', 'max', 'step'] as const) if (draft[key].trim() !== '') options[key] = Number(draft[key])
  if (draft.kind === 'string' && draft.placeholder !== '') options['placeholder'] = draft.placeholder
  return JSON.stringify(options)
}

function initial(draft: FieldDraft): string {
  switch (draft.kind) {
    case 'dropdown':
      return quoted(optionsOf(draft)[0] ?? '')
    case 'boolean':
      return 'False'
    case 'raw':
      return 'None'
    case 'slider': case 'number': case 'integer':
      return draft.min.trim() === '' ? '0' : pythonOf(Number(draft.min))
    default:
      return '""'
  }
}

/** Options that a person wrote as JSON are taken as such: a list may be pasted from elsewhere. */
export function pastedOptions(text: string): string {
  const list = new RelaxedReader(text).next()
  return Array.isArray(list) ? list.map((option: Relaxed) => (typeof option === 'string' ? option : JSON.stringify(option))).join('\n') : text
}
