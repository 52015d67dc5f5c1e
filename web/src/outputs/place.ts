/** Where each output of a cell is shown: in the page, or in the cell's output frame. */
import { isBlob, type Output } from '../model/wire'
import { surelyActive } from './active'
import { richest } from './mime'
import type { Clean } from './sanitize'

/** HTML larger than this is not worth cleaning on the page's own thread. */
export const HTML_IN_PAGE_MAX = 2_000_000

/** Whether this output has to be in a frame. `cleaned` is asked only for HTML. */
export function needsFrame(output: Output, cleaned: (html: string) => Clean): boolean {
  if (output.output_type !== 'display_data' && output.output_type !== 'execute_result') return false
  const best = richest(output.data)
  if (best === null) return false
  if (best.form.drawer !== 'html') return best.form.place === 'frame'
  const value = output.data['text/html']
  if (value === undefined || isBlob(value)) return value !== undefined && isBlob(value) && value.size > HTML_IN_PAGE_MAX
  const html = typeof value === 'string' ? value : Array.isArray(value) ? value.join('') : ''
  return html.length > HTML_IN_PAGE_MAX || surelyActive(html) || !cleaned(html).lossless
}

/** An output that may belong together with a neighbour's script: an element it fills, a style it uses. */
function mayJoin(output: Output): boolean {
  return (output.output_type === 'display_data' || output.output_type === 'execute_result') && richest(output.data)?.mime === 'text/html'
}

/**
 * The outputs that share the cell's one frame, as [first, end): from the first HTML that a script may fill to the
 * last that needs the frame. Null: none needs it.
 */
export function framed(outputs: readonly Output[], needs: (output: Output) => boolean): readonly [number, number] | null {
  const must = outputs.map(needs)
  const last = must.lastIndexOf(true)
  if (last === -1) return null
  const first = outputs.findIndex((output, index) => must[index] === true || mayJoin(output))
  return [first, last + 1]
}
