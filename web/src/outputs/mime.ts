/** Which of a bundle's forms is shown, and where that form belongs. Order as in JupyterLab. */
import type { MimeBundle } from '../model/wire'

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
