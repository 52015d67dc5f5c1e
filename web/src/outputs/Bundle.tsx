/** One rich output in the page, in the richest form that the page itself may show. */
import { useEffect, useMemo } from 'react'
import { isBlob, type MimeValue, type NotebookId, type OutputMetadata, type DisplayOutput, type ResultOutput } from '../model/wire'
import { Html } from './Html'
import { JsonTree } from './JsonTree'
import { Latex } from './Latex'
import { Markdown } from './Markdown'
import { richest } from './mime'
import { clean, surelyActive } from './sanitize'
import { LongText } from './Stream'
import { blobAddress, TEXT_SHOWN_MAX, type Text, textOf, useText } from './values'

export interface BundleProps {
  readonly output: DisplayOutput | ResultOutput
  readonly notebook: NotebookId
  /** Large HTML turned out, once fetched, to need the frame. */
  readonly onUnfit: () => void
}

export function Bundle({ output, notebook, onUnfit }: BundleProps) {
  const best = richest(output.data)
  if (best === null) return <p className="output-hint">This output has no form that can be shown here ({Object.keys(output.data).join(', ') || 'it is empty'}).</p>
  const value = output.data[best.mime] as MimeValue
  const shown = { value, notebook }
  if (best.mime === 'application/vnd.jupyter.widget-view+json') return <Widget output={output} notebook={notebook} />
  if (best.mime === 'text/html') return <HtmlValue {...shown} onUnfit={onUnfit} />
  if (best.mime === 'text/markdown') return <Fetched {...shown}>{(text) => <Markdown source={text} />}</Fetched>
  if (best.mime === 'text/latex') return <Fetched {...shown}>{(text) => <Latex source={text} />}</Fetched>
  if (best.mime.startsWith('image/')) return <Picture {...shown} mime={best.mime} metadata={output.metadata} alt={altOf(output)} />
  if (/^application\/(?:geo\+)?json$/.test(best.mime)) return <Json {...shown} />
  return <Plain {...shown} />
}

function altOf(output: DisplayOutput | ResultOutput): string {
  const plain = output.data['text/plain']
  const text = plain === undefined || isBlob(plain) ? '' : textOf(plain)
  return text.length > 0 && text.length <= 120 ? text : 'Image output'
}

function Waiting({ text }: { text: Exclude<Text, { state: 'ready' }> }) {
  return text.state === 'loading' ? <p className="output-hint">Loading…</p> : <p className="output-problem">{text.message}</p>
}

interface ValueProps {
  readonly value: MimeValue
  readonly notebook: NotebookId
}

function Fetched({ value, notebook, children }: ValueProps & { children: (text: string) => React.ReactNode }) {
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
      <LongText text={text.text} className="output-plain" label="Result" />
      {text.cut && (
        <p className="output-hint">
          The first {TEXT_SHOWN_MAX / 1_048_576} MB is shown. {isBlob(value) && <a href={blobAddress(notebook, value.$blob)} download="output.txt">Download all of it</a>}
        </p>
      )}
    </>
  )
}

function Json({ value, notebook }: ValueProps) {
  const text = useText(notebook, value, 8 * TEXT_SHOWN_MAX)
  const parsed = useMemo((): unknown => {
    if (text.state !== 'ready') return undefined
    if (!isBlob(value) && typeof value !== 'string') return value
    try {
      return JSON.parse(text.text)
    } catch {
      // Cut short, or not JSON at all: shown as the text it is.
      return text.text
    }
  }, [text, value])
  return text.state === 'ready' ? <JsonTree value={parsed} /> : <Waiting text={text} />
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
  const dark = (metadata?.needs_background ?? null) as unknown
  return <img className={dark === 'light' ? 'output-image output-image-light' : 'output-image'} src={source} alt={alt} {...sizeOf(metadata, mime)} decoding="async" />
}

function Widget({ output, notebook }: { output: DisplayOutput | ResultOutput; notebook: NotebookId }) {
  const plain = output.data['text/plain']
  return (
    <>
      {plain !== undefined && <Plain value={plain} notebook={notebook} />}
      <p className="output-hint">Interactive widgets cannot be moved here yet; this is their description.</p>
    </>
  )
}
