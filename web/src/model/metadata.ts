/** The notebook's own metadata: nbformat's keys, kept in the document below `md:`. */
import type * as Y from 'yjs'

type Json = Readonly<Record<string, unknown>>

export const metaOf = (doc: Y.Doc): Y.Map<unknown> => doc.getMap('meta')
export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
/** The object that stands there, or an empty one. */
export const record = (value: unknown): Json => (isJson(value) ? value : {})

/** What is undefined goes. */
export function put(into: Record<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) delete into[key]
  else into[key] = value
}

/** Only what differs is written, so that nothing is sent for a choice that was there already. */
export function set(meta: Y.Map<unknown>, key: string, value: unknown): void {
  if (JSON.stringify(meta.get(key)) === JSON.stringify(value)) return
  if (value === undefined) meta.delete(key)
  else meta.set(key, value)
}

/** Change what stands under Colab's name; what it says besides stays. */
export function setColab(meta: Y.Map<unknown>, change: (colab: Record<string, unknown>) => void): void {
  const colab: Record<string, unknown> = { ...record(meta.get('md:colab')) }
  change(colab)
  set(meta, 'md:colab', Object.keys(colab).length > 0 ? colab : undefined)
}
