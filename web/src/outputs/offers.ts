/** What of a cell's outputs can be copied and saved, found without loading what does it. */
import { isBlob, type MimeValue, type Output } from '../model/wire'
import { textOf } from './values'

export type SaveAs = 'txt' | 'png' | 'svg' | 'jpg' | 'pdf' | 'html' | 'csv' | 'json'
export const IMAGES = { png: 'image/png', svg: 'image/svg+xml', jpg: 'image/jpeg' } as const
export const FILES = { ...IMAGES, pdf: 'application/pdf' } as const
export const DATA = ['application/json', 'application/geo+json'] as const
/** What an output is as text, the likeliest first. */
export const TEXTS = ['text/plain', 'text/markdown', 'text/latex', ...DATA, 'text/html'] as const

type Rich = Extract<Output, { output_type: 'display_data' | 'execute_result' }>
const isRich = (output: Output): output is Rich => output.output_type === 'display_data' || output.output_type === 'execute_result'

/** The first output that has one of these forms. */
export function first(outputs: readonly Output[], mimes: readonly string[]): { readonly mime: string; readonly value: MimeValue } | null {
  for (const output of outputs) {
    if (!isRich(output)) continue
    const mime = mimes.find((one) => output.data[one] !== undefined)
    if (mime !== undefined) return { mime, value: output.data[mime] as MimeValue }
  }
  return null
}

export const hasImage = (outputs: readonly Output[]): boolean => first(outputs, Object.values(IMAGES)) !== null

/** Without looking into what is large: it may hold a table. */
export function mayHaveTable(outputs: readonly Output[]): boolean {
  const html = first(outputs, ['text/html'])
  return html !== null && (isBlob(html.value) || textOf(html.value).includes('<table'))
}

export function canSaveAs(outputs: readonly Output[], as: SaveAs): boolean {
  switch (as) {
    case 'txt': return outputs.some((output) => !isRich(output)) || first(outputs, TEXTS) !== null
    case 'csv': return mayHaveTable(outputs)
    case 'html': return first(outputs, ['text/html']) !== null
    case 'json': return first(outputs, DATA) !== null
    default: return first(outputs, [FILES[as]]) !== null
  }
}

