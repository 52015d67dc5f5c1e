/** How the frames of a run change the outputs of an execution. */
import { joined, type Output } from './wire'

export function spliced(outputs: readonly Output[], from: number, replacement: readonly Output[]): readonly Output[] {
  return [...outputs.slice(0, from), ...replacement]
}

/** The stream at `index` keeps its first `keep` characters and goes on with `text`; null when it is not a stream. */
export function appended(outputs: readonly Output[], index: number, keep: number, text: string): readonly Output[] | null {
  const output = outputs[index]
  if (output?.output_type !== 'stream') return null
  const before = joined(output.text)
  const next = outputs.slice()
  next[index] = { ...output, text: (keep < before.length ? before.slice(0, keep) : before) + text }
  return next
}
