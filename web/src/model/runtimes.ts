/** Which runtime a notebook asks for: how a choice is written into its metadata, as Colab writes it, and read back. */
import * as Y from 'yjs'
import { metaOf, put, record, set, setColab } from './metadata'
import type { Accelerator, NetworkMode } from './wire'

/** One of the types that the server offers. */
export interface RuntimeType {
  readonly name: string
  readonly label: string
  readonly description: string
  readonly limits: { readonly memory_bytes: number; readonly cpus: number; readonly processes: number; readonly disk_bytes: number }
  readonly network: NetworkMode
  readonly accelerator: Accelerator | null
  readonly available: boolean
  readonly reason: string | null
  readonly idle_seconds: number
  readonly lifetime_seconds: number | null
  readonly default: boolean
}

export interface RuntimeChoice {
  /** A type's name, or null for the usual one. */
  readonly type: string | null
  readonly version: string | null
  readonly kernel: string
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

const HIGH_RAM = 'cpu-high-ram'
const NO_ACCELERATORS = new Set(['', 'NONE', 'CPU'])

/** What a kernel's specification is called, and the language it speaks, for those that are known. */
export const KERNELS: Readonly<Record<string, { readonly label: string; readonly language: string }>> = {
  python3: { label: 'Python 3', language: 'python' },
  ir: { label: 'R', language: 'R' },
  bash: { label: 'Bash', language: 'bash' },
  deno: { label: 'Deno', language: 'typescript' },
}

export const kernelLabel = (name: string): string => KERNELS[name]?.label ?? name

/** What the notebook says it needs; a type of null: it does not say. */
export function chosen(doc: Y.Doc, types: readonly RuntimeType[]): RuntimeChoice {
  const meta = metaOf(doc)
  const colab = record(meta.get('md:colab'))
  const kind = (text(meta.get('md:accelerator')) ?? '').toUpperCase()
  const wanted = text(colab.gpuType)
  const of = types.filter(({ accelerator }) => accelerator?.kind.toUpperCase() === kind)
  const type = NO_ACCELERATORS.has(kind)
    ? colab.machine_shape === 'hm' ? types.find(({ name }) => name === HIGH_RAM) : undefined
    : (of.find(({ name, accelerator }) => wanted !== null && (name === wanted || accelerator?.name === wanted)) ?? of[0])
  return {
    type: type?.name ?? null,
    version: text(record(colab.runtime_attributes).runtime_version),
    kernel: text(record(meta.get('md:kernelspec')).name) ?? 'python3',
  }
}

/** Write a choice into the notebook; what it says besides stays. */
export function choose(doc: Y.Doc, choice: { readonly type: RuntimeType | null; readonly version: string | null; readonly kernel: string }): void {
  const meta = metaOf(doc)
  const { accelerator = null, name = null } = choice.type ?? {}
  doc.transact(() => {
    setColab(meta, (colab) => {
      put(colab, 'gpuType', accelerator === null ? undefined : name)
      put(colab, 'machine_shape', name === HIGH_RAM ? 'hm' : undefined)
      const attributes: Record<string, unknown> = { ...record(colab.runtime_attributes) }
      put(attributes, 'runtime_version', choice.version ?? undefined)
      put(colab, 'runtime_attributes', Object.keys(attributes).length > 0 ? attributes : undefined)
    })
    set(meta, 'md:accelerator', accelerator?.kind.toUpperCase())
    const spec = record(meta.get('md:kernelspec'))
    if ((text(spec.name) ?? 'python3') === choice.kernel) return
    const known = KERNELS[choice.kernel]
    set(meta, 'md:kernelspec', { name: choice.kernel, display_name: known?.label ?? choice.kernel, ...(known && { language: known.language }) })
    set(meta, 'md:language_info', known ? { name: known.language } : undefined)
  })
}

/** The language that the notebook's code is written in, in lower case. */
export function languageOf(doc: Y.Doc): string {
  const meta = metaOf(doc)
  const spec = record(meta.get('md:kernelspec'))
  const found = text(spec.language) ?? KERNELS[text(spec.name) ?? '']?.language ?? text(record(meta.get('md:language_info')).name)
  return (found ?? 'python').toLowerCase()
}
