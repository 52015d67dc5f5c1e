/** Of very many outputs of one cell, those at both ends: a page with ten thousand of them answers nobody. */
import type { Output } from '../model/wire'

export const HEAD_SHOWN = 60
export const TAIL_SHOWN = 40
export const MORE_SHOWN = 200

export interface Bounded {
  readonly outputs: readonly Output[]
  /** So many are left out, before this one of `outputs`. */
  readonly hidden: number
  readonly at: number
}

export function bounded(outputs: readonly Output[], head: number = HEAD_SHOWN): Bounded {
  const hidden = outputs.length - head - TAIL_SHOWN
  if (hidden <= 0) return { outputs, hidden: 0, at: outputs.length }
  return { outputs: [...outputs.slice(0, head), ...outputs.slice(outputs.length - TAIL_SHOWN)], hidden, at: head }
}

/** How many outputs the server counted and did not keep, as the last one's metadata says; 0: this is an output. */
export function omittedBy(output: Output): number {
  if (output.output_type !== 'display_data') return 0
  const count = (output.metadata?.collegium as { omitted_outputs?: unknown } | null | undefined)?.omitted_outputs
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 0
}
