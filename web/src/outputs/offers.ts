/** What of a cell's outputs can be copied and saved, found without loading what does it. */
import { isBlob, type MimeValue, type Output } from '../model/wire'
import { textOf } from './values'

export type SaveAs = 'txt' | 'png' | 'svg' | 'jpg' | 'html' | 'csv'
export const IMAGES = { png: 'image/png', svg: 'image/svg+xml', jpg: 'image/jpeg' } as const

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
  if (as === 'txt') return outputs.length > 0
  if (as === 'html') return first(outputs, ['text/html']) !== null
  return as === 'csv' ? mayHaveTable(outputs) : first(outputs, [IMAGES[as]]) !== null
}

