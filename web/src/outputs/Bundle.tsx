/** One rich output in the page, in the richest form that the page itself may show. */
import { type ComponentType, lazy, type ReactNode, Suspense, useEffect, useMemo } from 'react'
import { t } from '../i18n'
import { type DisplayOutput, isBlob, type MimeBundle, type MimeValue, type NotebookId, type OutputMetadata, type ResultOutput } from '../model/wire'
import { surelyActive } from './active'
import { clean } from './cleaning'
import { type DrawnProps, Waiting } from './drawn'
import { Html } from './Html'
import { Latex } from './Latex'
import { Markdown } from './Markdown'
import { type Drawer, type Richest, richest, unknownOf } from './mime'
import { LongText } from './Stream'
import { blobAddress, TEXT_SHOWN_MAX, textOf, useText } from './values'

export interface BundleProps {
  readonly output: DisplayOutput | ResultOutput
  readonly notebook: NotebookId
  /** Large HTML turned out, once fetched, to need the frame. */
  readonly onUnfit: () => void
}

type Later = Extract<Drawer, 'geojson' | 'table' | 'separated' | 'pdf' | 'audio' | 'video' | 'json'>
const LATER: Readonly<Record<Later, ComponentType<DrawnProps>>> = {
  geojson: lazy(() => import('./GeoJson')),
  table: lazy(() => import('./Tables')),
  separated: lazy(() => import('./Tables')),
  pdf: lazy(() => import('./Media')),
  audio: lazy(() => import('./Media')),
  video: lazy(() => import('./Media')),
  json: lazy(() => import('./JsonOutput')),
}

export function Bundle({ output, notebook, onUnfit }: BundleProps) {
  const { data, metadata } = output
  const best = richest(data)
  if (best === null) return <p className="output-hint">{t('This output has no form that can be shown here ({types}).', { types: Object.keys(data).join(', ') || t('it is empty') })}</p>
  const unknown = unknownOf(data)
  return (
    <>
      <Drawn best={best} data={data} metadata={metadata} notebook={notebook} onUnfit={onUnfit} />
      {unknown !== null && <p className="output-hint">{t('It also comes as {type}, which cannot be shown here.', { type: unknown })}</p>}
    </>
  )
}

interface BestProps {
  readonly best: Richest
  readonly data: MimeBundle
  readonly metadata: OutputMetadata | undefined
  readonly notebook: NotebookId
  readonly onUnfit: () => void
}

function Drawn({ best: { mime, form }, data, metadata, notebook, onUnfit }: BestProps): ReactNode {
  const value = data[mime] as MimeValue
  const shown = { value, notebook }
  switch (form.drawer) {
    case 'widget':
      return <Widget data={data} notebook={notebook} />
    case 'html':
      return <HtmlValue {...shown} onUnfit={onUnfit} />
    case 'markdown':
      return <Fetched {...shown}>{(text) => <Markdown source={text} />}</Fetched>
    case 'latex':
      return <Fetched {...shown}>{(text) => <Latex source={text} />}</Fetched>
    case 'image':
      return <Picture {...shown} mime={mime} metadata={metadata} alt={altOf(data)} />
    case 'geojson':
    case 'table':
    case 'separated':
    case 'pdf':
    case 'audio':
    case 'video':
    case 'json': {
      const Part = LATER[form.drawer]
      return (
        <Suspense fallback={<p className="output-hint">{t('Loading…')}</p>}>
          <Part {...shown} mime={mime} metadata={metadata} />
        </Suspense>
      )
    }
    // Forms that run script are drawn in the frame; what is left of them in the page is their text.
    case 'plotly':
    case 'vega':
    case 'mermaid':
    case 'bokeh':
    case 'javascript':
    case 'text':
      return <Plain {...shown} />
    default:
      return form.drawer satisfies never
  }
}

function altOf(data: MimeBundle): string {
  const plain = data['text/plain']
  const text = plain === undefined || isBlob(plain) ? '' : textOf(plain)
  return text.length > 0 && text.length <= 120 ? text : t('Image output')
}

interface ValueProps {
  readonly value: MimeValue
  readonly notebook: NotebookId
}

function Fetched({ value, notebook, children }: ValueProps & { children: (text: string) => ReactNode }) {
  const text = useText(notebook, value)
  return text.state === 'ready' ? children(text.text) : <Waiting text={text} />
}

function HtmlValue({ value, notebook, onUnfit }: ValueProps & { onUnfit: () => void }) {
  const text = useText(notebook, value, Number.POSITIVE_INFINITY)
  const html = text.state === 'ready' ? text.text : null
  // What is in the output itself was judged before it came here; what was fetched is judged now.
  const fetched = isBlob(value)
  const cleaned = useMemo(() => (html === null || (fetched && surelyActive(html)) ? null : clean(html)), [html, fetched])
  const unfit = html !== null && fetched && cleaned?.lossless !== true
  useEffect(() => {
    if (unfit) onUnfit()
  }, [unfit, onUnfit])
  if (text.state !== 'ready') return <Waiting text={text} />
  return cleaned === null ? null : <Html cleaned={cleaned} />
}

function Plain({ value, notebook }: ValueProps) {
  const text = useText(notebook, value)
  if (text.state !== 'ready') return <Waiting text={text} />
  return (
    <>
      <LongText text={text.text} className="output-plain" label={t('Result')} />
      {text.cut && (
        <p className="output-hint">
          {t('The first {size} MB is shown.', { size: TEXT_SHOWN_MAX / 1_048_576 })} {isBlob(value) && <a href={blobAddress(notebook, value.$blob)} download="output.txt">{t('Download all of it')}</a>}
        </p>
      )}
    </>
  )
}

function sizeOf(metadata: OutputMetadata | undefined, mime: string): { width?: number; height?: number } {
  const own = metadata?.[mime]
  if (typeof own !== 'object' || own === null) return {}
  const { width, height } = own as Record<string, unknown>
  const sane = (size: unknown): size is number => typeof size === 'number' && size > 0 && size <= 10_000
  return { ...(sane(width) && { width }), ...(sane(height) && { height }) }
}

function Picture({ value, notebook, mime, metadata, alt }: ValueProps & { mime: string; metadata: OutputMetadata | undefined; alt: string }) {
  // An SVG is a picture here, not a part of the page: as an image it runs nothing and asks for nothing.
  const source = isBlob(value)
    ? blobAddress(notebook, value.$blob)
    : mime === 'image/svg+xml'
      ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOf(value))}`
      : `data:${mime};base64,${textOf(value).replace(/\s+/g, '')}`
  const ground = metadata?.needs_background
  return <img className={ground === 'light' || ground === 'dark' ? `output-image output-image-${ground}` : 'output-image'} src={source} alt={alt} {...sizeOf(metadata, mime)} decoding="async" />
}

function Widget({ data, notebook }: { data: MimeBundle; notebook: NotebookId }) {
  const plain = data['text/plain']
  return (
    <>
      {plain !== undefined && <Plain value={plain} notebook={notebook} />}
      <p className="output-hint">{t('Interactive widgets cannot be moved here yet; this is their description.')}</p>
    </>
  )
}
