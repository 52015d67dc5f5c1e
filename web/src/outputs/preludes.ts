/**
 * Scripts that one cell loads for the whole notebook, as Bokeh's output_notebook() does. Each cell's frame is a world
 * of its own, so frames that need such a script are given it.
 */
import { joined, type MimeValue, type NotebookId, type Output } from '../model/wire'
import type { Network } from './frame/wire'
import { BOKEH_LOAD, JAVASCRIPT } from './mime'

const NEEDED_BY = /Bokeh|bokehjs/

/** Apart, so that what came with a file never runs where the network is. */
const loaded: Readonly<Record<Network, Map<NotebookId, MimeValue>>> = { open: new Map(), closed: new Map() }

/** Remembers what these outputs load for frames of this kind. */
export function remember(notebook: NotebookId, outputs: readonly Output[], network: Network): void {
  for (const output of outputs) {
    if (output.output_type !== 'display_data' || !(BOKEH_LOAD in output.data)) continue
    const script = Object.entries(output.data).find(([mime]) => JAVASCRIPT.test(mime))?.[1] ?? output.data[BOKEH_LOAD]
    if (script !== undefined && script !== '') loaded[network].set(notebook, script)
  }
}

/** The scripts that these outputs expect to find. A closed frame may use what was made here, too. */
export function preludesFor(notebook: NotebookId, outputs: readonly Output[], network: Network): readonly MimeValue[] {
  const script = (network === 'closed' ? loaded.closed.get(notebook) : undefined) ?? loaded.open.get(notebook)
  if (script === undefined) return []
  const needs = outputs.some(
    (output) =>
      (output.output_type === 'display_data' || output.output_type === 'execute_result') &&
      !(BOKEH_LOAD in output.data) &&
      Object.entries(output.data).some(([mime, value]) => /bokehjs_exec/.test(mime) || (/html|javascript/.test(mime) && NEEDED_BY.test(asText(value)))),
  )
  return needs ? [script] : []
}

function asText(value: MimeValue): string {
  return typeof value === 'string' ? value : Array.isArray(value) ? joined(value as readonly string[]) : ''
}
