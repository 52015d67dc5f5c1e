/** What a kernel says about one execution, folded into outputs as nbformat keeps them. */
import type { DisplayOutput, ErrorOutput, MimeBundle, Output, OutputMetadata, ResultOutput } from '../../model/wire'
import { joined } from '../../model/wire'

/** A temporary cell keeps no more: what is longer loses its beginning. */
const OUTPUTS_MAX = 500
const TEXT_MAX = 1_000_000

export interface Folded {
  readonly outputs: readonly Output[]
  /** The next output takes the place of all. */
  readonly clearing: boolean
  /** Which outputs may be updated, by their display id. */
  readonly displays: ReadonlyMap<string, readonly Output[]>
}

export const NONE: Folded = { outputs: [], clearing: false, displays: new Map() }

type Content = Readonly<Record<string, unknown>>

/** After the next message of the kernel's iopub channel. */
export function folded(state: Folded, type: string, content: Content): Folded {
  switch (type) {
    case 'stream':
      return streamed(cleared(state), content['name'] === 'stderr' ? 'stderr' : 'stdout', String(content['text'] ?? ''))
    case 'display_data':
      return added(state, { output_type: 'display_data', ...bundle(content) } satisfies DisplayOutput, displayOf(content))
    case 'execute_result':
      return added(state, { output_type: 'execute_result', ...bundle(content), execution_count: null } satisfies ResultOutput, displayOf(content))
    case 'error':
      return added(state, { output_type: 'error', ename: String(content['ename']), evalue: String(content['evalue']), traceback: lines(content['traceback']) } satisfies ErrorOutput, null)
    case 'update_display_data':
      return updated(state, content)
    case 'clear_output':
      return content['wait'] === true ? { ...state, clearing: true } : { ...NONE }
    default:
      return state
  }
}

const cleared = (state: Folded): Folded => (state.clearing ? NONE : state)

function added(before: Folded, output: Output, display: string | null): Folded {
  const state = cleared(before)
  const outputs = [...state.outputs, output].slice(-OUTPUTS_MAX)
  if (display === null) return { ...state, outputs }
  return { ...state, outputs, displays: new Map(state.displays).set(display, [...(state.displays.get(display) ?? []), output]) }
}

function streamed(state: Folded, name: 'stdout' | 'stderr', text: string): Folded {
  const last = state.outputs.at(-1)
  const goesOn = last?.output_type === 'stream' && last.name === name
  const whole = overwritten((goesOn ? joined(last.text) : '') + text).slice(-TEXT_MAX)
  return { ...state, outputs: [...(goesOn ? state.outputs.slice(0, -1) : state.outputs), { output_type: 'stream', name, text: whole }] }
}

/** A carriage return begins its line anew. */
const overwritten = (text: string): string => (text.includes('\r') ? text.replace(/\r+\n/g, '\n').replace(/[^\n]*\r(?=.)/g, '') : text)

function updated(state: Folded, content: Content): Folded {
  const display = displayOf(content)
  const targets = display === null ? undefined : state.displays.get(display)
  if (!targets) return state
  const renewed = new Map(targets.map((output) => [output, { ...output, ...bundle(content) } as Output]))
  return {
    ...state,
    outputs: state.outputs.map((output) => renewed.get(output) ?? output),
    displays: new Map(state.displays).set(display!, [...renewed.values()]),
  }
}

const bundle = (content: Content) => ({ data: (content['data'] ?? {}) as MimeBundle, metadata: (content['metadata'] ?? {}) as OutputMetadata })
const lines = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
function displayOf(content: Content): string | null {
  const id = (content['transient'] as Content | undefined)?.['display_id']
  return typeof id === 'string' ? id : null
}
