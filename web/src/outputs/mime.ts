/** Which of a bundle's forms is shown, and where: in the page, or in an output frame. Order as in JupyterLab. */
import type { Clean } from './sanitize'
import type { MimeBundle, Output } from '../model/wire'
import { isBlob } from '../model/wire'

export type Place =
  /** In the page, drawn by us. */
  | 'page'
  /** In a frame, since it runs script. */
  | 'frame'

const RANKED: readonly { readonly match: RegExp; readonly place: Place }[] = [
  { match: /^application\/vnd\.jupyter\.widget-view\+json$/, place: 'page' },
  { match: /^application\/vnd\.plotly\.v1\+json$/, place: 'frame' },
  { match: /^application\/vnd\.vegalite\.v[3-6](\.\d+)*\+json$/, place: 'frame' },
  { match: /^application\/vnd\.vega\.v[3-6](\.\d+)*\+json$/, place: 'frame' },
  { match: /^application\/vnd\.bokehjs_(?:load|exec)\.v0\+json$/, place: 'frame' },
  { match: /^(?:application|text)\/(?:x-)?(?:java|ecma)script$/, place: 'frame' },
  { match: /^text\/html$/, place: 'page' },
  { match: /^text\/markdown$/, place: 'page' },
  { match: /^text\/latex$/, place: 'page' },
  { match: /^image\/svg\+xml$/, place: 'page' },
  { match: /^image\/(?:png|jpeg|gif|webp|bmp|avif)$/, place: 'page' },
  { match: /^application\/(?:geo\+)?json$/, place: 'page' },
  { match: /^application\/vnd\.jupyter\.stderr$/, place: 'page' },
  { match: /^text\/plain$/, place: 'page' },
]

/** The richest form we can show; null when there is none. */
export function richest(data: MimeBundle): { readonly mime: string; readonly place: Place } | null {
  for (const { match, place } of RANKED) {
    const mime = Object.keys(data).find((one) => match.test(one))
    if (mime !== undefined) return { mime, place }
  }
  const other = Object.keys(data).find((mime) => /^text\//.test(mime))
  return other === undefined ? null : { mime: other, place: 'page' }
}

export const BOKEH_LOAD = 'application/vnd.bokehjs_load.v0+json'
export const JAVASCRIPT = /^(?:application|text)\/(?:x-)?(?:java|ecma)script$/

/** HTML larger than this is not worth cleaning on the page's own thread. */
export const HTML_IN_PAGE_MAX = 2_000_000

/** Whether this output has to be in a frame. `cleaned` is asked only for HTML. */
export function needsFrame(output: Output, cleaned: (html: string) => Clean): boolean {
  if (output.output_type !== 'display_data' && output.output_type !== 'execute_result') return false
  const best = richest(output.data)
  if (best === null) return false
  if (best.mime !== 'text/html') return best.place === 'frame'
  const value = output.data['text/html']
  if (value === undefined || isBlob(value)) return value !== undefined && isBlob(value) && value.size > HTML_IN_PAGE_MAX
  const html = typeof value === 'string' ? value : Array.isArray(value) ? value.join('') : ''
  return html.length > HTML_IN_PAGE_MAX || !cleaned(html).lossless
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
