/** The table of forms: which of a bundle's is shown, where it belongs, and what draws it. Order as in JupyterLab. */
import type { MimeBundle } from '../model/wire'

export type Place =
  /** In the page, drawn by us. */
  | 'page'
  /** In a frame, since it runs script. */
  | 'frame'

/** What draws a form: a branch in `Bundle.tsx` for the page, in `frame/draw.ts` for the frame. */
export type Drawer =
  | 'widget' | 'plotly' | 'vega' | 'mermaid' | 'bokeh' | 'javascript' | 'geojson' | 'table' | 'html' | 'markdown' | 'latex' | 'image' | 'pdf' | 'video' | 'audio' | 'json' | 'separated' | 'text'

export interface Form {
  /** MIME types, as people read them in the reference. */
  readonly types: string
  readonly match: RegExp
  readonly place: Place
  readonly drawer: Drawer
  /** For the reference: how it is shown. */
  readonly shown: string
}

export const BOKEH_LOAD = 'application/vnd.bokehjs_load.v0+json'
export const JAVASCRIPT = /^(?:application|text)\/(?:x-)?(?:java|ecma)script$/

/** Richest first. */
export const FORMS: readonly Form[] = [
  { types: 'application/vnd.jupyter.widget-view+json', match: /^application\/vnd\.jupyter\.widget-view\+json$/, place: 'frame', drawer: 'widget', shown: 'a widget' },
  { types: 'application/vnd.plotly.v1+json', match: /^application\/vnd\.plotly\.v1\+json$/, place: 'frame', drawer: 'plotly', shown: 'a Plotly figure' },
  { types: 'application/vnd.vegalite.v3+json … v6+json', match: /^application\/vnd\.vegalite\.v[3-6](\.\d+)*\+json$/, place: 'frame', drawer: 'vega', shown: 'a Vega-Lite chart, as Altair makes it' },
  { types: 'application/vnd.vega.v3+json … v6+json', match: /^application\/vnd\.vega\.v[3-6](\.\d+)*\+json$/, place: 'frame', drawer: 'vega', shown: 'a Vega chart' },
  { types: 'text/vnd.mermaid', match: /^text\/vnd\.mermaid$/, place: 'frame', drawer: 'mermaid', shown: 'a Mermaid diagram' },
  { types: 'application/vnd.bokehjs_load.v0+json, application/vnd.bokehjs_exec.v0+json', match: /^application\/vnd\.bokehjs_(?:load|exec)\.v0\+json$/, place: 'frame', drawer: 'bokeh', shown: 'a Bokeh document' },
  { types: 'application/javascript, text/javascript', match: JAVASCRIPT, place: 'frame', drawer: 'javascript', shown: 'what the script draws' },
  { types: 'application/geo+json', match: /^application\/(?:vnd\.)?geo\+json$/, place: 'page', drawer: 'geojson', shown: 'the shapes on a plain map, without tiles from elsewhere' },
  { types: 'application/vnd.dataresource+json', match: /^application\/vnd\.dataresource(?:\.v1)?\+json$/, place: 'page', drawer: 'table', shown: 'a table that can be sorted' },
  { types: 'text/html', match: /^text\/html$/, place: 'page', drawer: 'html', shown: 'in the page what cleaning leaves whole, else in the frame' },
  { types: 'text/markdown', match: /^text\/markdown$/, place: 'page', drawer: 'markdown', shown: 'as a text cell' },
  { types: 'text/latex', match: /^text\/latex$/, place: 'page', drawer: 'latex', shown: 'the formula' },
  { types: 'image/svg+xml', match: /^image\/svg\+xml$/, place: 'page', drawer: 'image', shown: 'a picture, in which nothing runs' },
  { types: 'image/png, image/jpeg, image/gif, image/webp, image/bmp, image/avif', match: /^image\/(?:png|jpeg|gif|webp|bmp|avif)$/, place: 'page', drawer: 'image', shown: 'a picture' },
  { types: 'application/pdf', match: /^application\/pdf$/, place: 'page', drawer: 'pdf', shown: 'its size, with buttons to open and to download it' },
  { types: 'video/mp4, video/webm, video/ogg', match: /^video\/(?:mp4|webm|ogg)$/, place: 'page', drawer: 'video', shown: 'a player' },
  { types: 'audio/mpeg, audio/wav, audio/ogg, audio/flac, audio/mp4, audio/webm', match: /^audio\/(?:mpeg|wav|x-wav|ogg|flac|mp4|webm)$/, place: 'page', drawer: 'audio', shown: 'a player' },
  { types: 'application/json', match: /^application\/json$/, place: 'page', drawer: 'json', shown: 'a tree that opens level by level, and can be searched' },
  { types: 'text/csv, text/tab-separated-values', match: /^text\/(?:csv|tab-separated-values)$/, place: 'page', drawer: 'separated', shown: 'a table that can be sorted' },
  { types: 'application/vnd.jupyter.stderr', match: /^application\/vnd\.jupyter\.(?:stderr|stdout)$/, place: 'page', drawer: 'text', shown: 'text with terminal colours' },
  { types: 'text/plain', match: /^text\/plain$/, place: 'page', drawer: 'text', shown: 'text with terminal colours' },
  { types: 'text/*', match: /^text\//, place: 'page', drawer: 'text', shown: 'the text as it is' },
  { types: '*/*+json', match: /\+json$/, place: 'page', drawer: 'json', shown: 'a tree, under a note that names the type' },
]

export interface Richest {
  readonly mime: string
  readonly form: Form
}

/** The richest form we can show; null when there is none. */
export function richest(data: MimeBundle): Richest | null {
  const mimes = Object.keys(data)
  for (const form of FORMS) {
    const mime = mimes.find((one) => form.match.test(one) && !HINTS.test(one))
    if (mime !== undefined) return { mime, form }
  }
  return null
}

/** Forms that say something about the others, and are none themselves. */
const HINTS = /^application\/vnd\.(?:google\.colaboratory\.intrinsic|colab-display-data|collegium\.table)\+json$/

/** The one that was meant, where all that can be shown is a poorer one; null where nothing is lost. */
export function unknownOf(data: MimeBundle): string | null {
  const known = FORMS.slice(0, -2)
  const mimes = Object.keys(data).filter((mime) => !HINTS.test(mime))
  if (mimes.some((mime) => mime !== 'text/plain' && known.some(({ match }) => match.test(mime)))) return null
  return mimes.find((mime) => !known.some(({ match }) => match.test(mime))) ?? null
}
