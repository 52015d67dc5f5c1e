/** States of widgets as a notebook's file has them: `metadata.widgets`, in Jupyter's frame or, as Colab writes it, without. */
import type { BufferPath, FrameModel } from './items'

const STATE = 'application/vnd.jupyter.widget-state+json'
const REFERENCE = /IPY_MODEL_([\w-]+)/g

/** These models and all that they refer to, with the links between them. */
export function savedModels(widgets: unknown, ids: readonly string[]): readonly FrameModel[] {
  const all = states(widgets)
  const found = new Map<string, FrameModel>()
  const waiting = [...ids]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const entry = all[id]
    if (found.has(id) || !isObject(entry)) continue
    found.set(id, modelOf(id, entry))
    waiting.push(...named(entry))
  }
  for (const [id, entry] of Object.entries(all)) {
    if (!found.has(id) && isObject(entry) && String(entry.model_name).endsWith('LinkModel') && named(entry).some((one) => found.has(one))) found.set(id, modelOf(id, entry))
  }
  return [...found.values()]
}

function states(widgets: unknown): Readonly<Record<string, unknown>> {
  const framed = isObject(widgets) ? widgets[STATE] : null
  if (!isObject(framed)) return {}
  return isObject(framed.state) ? framed.state : framed
}

function modelOf(id: string, entry: Readonly<Record<string, unknown>>): FrameModel {
  const { model_name, model_module, model_module_version, state, buffers } = entry
  const named = { _model_name: model_name, _model_module: model_module, _model_module_version: model_module_version }
  const held = (Array.isArray(buffers) ? buffers : []).filter(isObject).map((buffer) => [pathOf(buffer.path), bytesOf(String(buffer.data), buffer.encoding)] as const)
  return { id, target: 'jupyter.widget', live: false, state: { ...named, ...(isObject(state) ? state : {}) }, buffers: held }
}

function named(entry: Readonly<Record<string, unknown>>): string[] {
  return [...JSON.stringify(entry.state ?? null).matchAll(REFERENCE)].map(([, id]) => id as string)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const pathOf = (path: unknown): BufferPath => (Array.isArray(path) ? path.filter((step) => typeof step === 'string' || typeof step === 'number') : [])

function bytesOf(text: string, encoding: unknown): ArrayBuffer {
  if (encoding === 'hex') return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)).buffer
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer
}
