/** Cells on their way through a clipboard or a drag, as nbformat's cells: what Jupyter's editors write and read too. */
import { type Draft, unmarked } from './notebook'
import { wellFormed } from './text'

/** JupyterLab's own name for it. */
export const CELLS_MIME = 'application/vnd.jupyter.cells'
const DEPTH_MAX = 24
const KEY_MAX = 1024
const TYPES: readonly unknown[] = ['code', 'markdown', 'raw']

/** What a clipboard offers; an empty text is none. */
export interface Offered {
  readonly cells?: string
  readonly html?: string
  readonly text?: string
}

/** A JSON list of nbformat cells, without ids and outputs: a copy has its own id, and was not run. */
export function toJson(drafts: readonly Draft[]): string {
  return JSON.stringify(
    drafts.map(({ type, source = '', metadata = {}, attachments = {} }) => ({
      cell_type: type,
      ...(type === 'code' && { execution_count: null }),
      metadata,
      ...(type === 'code' ? { outputs: [] } : Object.keys(attachments).length > 0 && { attachments }),
      source,
    })),
  )
}

/** What other programs get: the sources alone. */
export const toText = (drafts: readonly Draft[]): string => drafts.map(({ source = '' }) => source).join('\n\n')

/** The sources for those who paste formatted text; the cells go along unseen where no format of one's own may be written. */
export function toHtml(drafts: readonly Draft[]): string {
  return `<div data-jupyter-cells="${escaped(toJson(drafts))}">${drafts.map(({ source = '' }) => `<pre>${escaped(source)}</pre>`).join('')}</div>`
}

/** The cells that were offered; a text that is none of Jupyter's forms is one code cell. */
export function fromOffered({ cells, html, text }: Offered): Draft[] {
  const marked = html ? new DOMParser().parseFromString(html, 'text/html').querySelector('[data-jupyter-cells]')?.getAttribute('data-jupyter-cells') : null
  for (const json of [cells, marked, text]) {
    const drafts = json ? fromJson(json) : null
    if (drafts) return drafts
  }
  const source = wellFormed(text ?? '').replace(/\r\n?/g, '\n')
  return source.trim() === '' ? [] : [{ type: 'code', source }]
}

/** A list of cells, or a whole notebook; null when it is neither. */
export function fromJson(json: string): Draft[] | null {
  if (!/^\s*[[{]/.test(json)) return null
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // It only began like JSON: it is text then.
    return null
  }
  const list: unknown = Array.isArray(value) ? value : isRecord(value) && 'nbformat' in value ? value['cells'] : null
  if (!Array.isArray(list) || list.length === 0) return null
  const drafts = list.map(draft)
  return drafts.every((one) => one !== null) ? drafts : null
}

function draft(cell: unknown): Draft | null {
  if (!isRecord(cell) || !TYPES.includes(cell['cell_type'])) return null
  const { source } = cell
  const text = typeof source === 'string' ? source : Array.isArray(source) && source.every((line) => typeof line === 'string') ? source.join('') : null
  if (text === null) return null
  return {
    type: cell['cell_type'] as Draft['type'],
    source: wellFormed(text).replace(/\r\n?/g, '\n'),
    metadata: unmarked(whole(cell['metadata'])),
    attachments: whole(cell['attachments']),
  }
}

/** An object that the document may hold: not too deep, its texts of whole characters. */
function whole(value: unknown): Record<string, unknown> {
  return isRecord(value) ? (mended(value, 0) as Record<string, unknown>) : {}
}

function mended(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return null
  if (Array.isArray(value)) return value.map((inner) => mended(inner, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key.length <= KEY_MAX)
      .map(([key, inner]) => [wellFormed(key), mended(inner, depth + 1)]),
  )
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)

/** In parts that fit a frame to the server each; null when one cell alone does not. */
export function portions(drafts: readonly Draft[], bytesMax: number): (readonly Draft[])[] | null {
  const parts: Draft[][] = [[]]
  let room = bytesMax
  for (const one of drafts) {
    const size = new TextEncoder().encode(JSON.stringify(one)).length
    if (size > bytesMax) return null
    if (size > room) {
      parts.push([])
      room = bytesMax
    }
    parts.at(-1)!.push(one)
    room -= size
  }
  return parts.filter((part) => part.length > 0)
}
