/**
 * Scripts that one cell loads for the whole notebook, as Bokeh's output_notebook() does. Each cell's frame is a world
 * of its own, so frames that need such a script are given it.
 */
import { joined, type MimeValue, type NotebookId, type Output } from '../model/wire'
import { BOKEH_LOAD, JAVASCRIPT } from './mime'

const NEEDED_BY = /Bokeh|bokehjs/

const loaded = new Map<NotebookId, MimeValue>()

/** Remembers what these outputs load; only outputs of a run here are asked. */
export function remember(notebook: NotebookId, outputs: readonly Output[]): void {
  for (const output of outputs) {
    if (output.output_type !== 'display_data' || !(BOKEH_LOAD in output.data)) continue
    const script = Object.entries(output.data).find(([mime]) => JAVASCRIPT.test(mime))?.[1] ?? output.data[BOKEH_LOAD]
    if (script !== undefined && script !== '') loaded.set(notebook, script)
  }
}

/** The scripts that these outputs expect to find. */
export function preludesFor(notebook: NotebookId, outputs: readonly Output[]): readonly MimeValue[] {
  const script = loaded.get(notebook)
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
