/** One output, drawn without distrust: this document holds nothing worth stealing. */
import type { MimeBundle, MimeValue, Output } from '../../model/wire'
import { joined } from '../../model/wire'
import { appendAnsi } from '../ansi'
import { BOKEH_LOAD, JAVASCRIPT, richest } from '../mime'
import { StreamView } from '../stream'
import { namesBokeh, withBokeh } from './bokeh'
import { widgets } from './later'
import { begins } from './work'

const LONG = 60_000

function text(value: MimeValue | undefined): string {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join('') : value === undefined ? '' : JSON.stringify(value)
}

export async function draw(output: Output, into: HTMLElement): Promise<void> {
  switch (output.output_type) {
    case 'stream': {
      into.className = output.name === 'stderr' ? 'out output-stderr' : 'out'
      long(joined(output.text), output.omitted?.at ?? null, into)
      return
    }
    case 'error':
      into.className = 'out output-error'
      long(output.traceback.join('\n'), null, into)
      return
    case 'display_data':
    case 'execute_result':
      return bundle(output.data, into)
    default:
      return
  }
}

function long(source: string, omitted: number | null, into: HTMLElement): void {
  const box = document.createElement('div')
  box.className = 'stream'
  into.append(box)
  if (source.length > LONG || omitted !== null) {
    const view = new StreamView(box)
    view.show(source, omitted)
    view.gap.textContent = 'The middle is left out here.'
  } else appendAnsi(box, source)
}

async function bundle(data: MimeBundle, into: HTMLElement): Promise<void> {
  const best = richest(data)
  if (best === null) return
  const value = data[best.mime]
  switch (best.form.drawer) {
    case 'widget':
      return widget(value, data, into)
    case 'plotly':
      return (await import('./plotly')).draw(value as never, into)
    case 'vega':
      return (await import('./vega')).draw(value as never, into)
    case 'mermaid':
      return (await import('./mermaid')).draw(text(value), into)
    case 'bokeh': {
      const code = Object.entries(data).find(([mime]) => JAVASCRIPT.test(mime))?.[1] ?? (best.mime === BOKEH_LOAD ? value : undefined)
      if (data['text/html'] !== undefined) await html(text(data['text/html']), into)
      return code === undefined ? undefined : own(text(code), into)
    }
    case 'javascript':
      return own(text(value), into)
    case 'html':
      return html(text(value), into)
    case 'image':
      if (best.mime === 'image/svg+xml') return html(text(value), into)
      return picture(best.mime, text(value), into)
    default:
      // What the page draws better seldom stands between outputs of the frame; here its text does.
      long(text(data['text/plain'] ?? value), null, into)
  }
}

/** What cannot be drawn as a widget is shown as its text, and why. */
async function widget(view: MimeValue | undefined, data: MimeBundle, into: HTMLElement): Promise<void> {
  try {
    await (await widgets()).show(String((view as { model_id?: unknown } | undefined)?.model_id), into, draw)
  } catch (error) {
    if (data['text/plain'] !== undefined) long(text(data['text/plain']), null, into)
    throw error
  }
}

function picture(mime: string, base64: string, into: HTMLElement): void {
  const image = new Image()
  image.src = `data:${mime};base64,${base64.replace(/\s+/g, '')}`
  into.append(image)
}

/** A script that is an output by itself finds its place under the name that Jupyter gives it. */
function own(code: string, into: HTMLElement): Promise<void> {
  ;(window as unknown as { element?: HTMLElement }).element = into
  return script(code, {}, into)
}

/** A script for the whole notebook, run before the outputs that expect it. */
export function prelude(code: string, root: HTMLElement): Promise<void> {
  const hidden = document.createElement('div')
  hidden.hidden = true
  root.before(hidden)
  return script(code, {}, hidden)
}

/** innerHTML never runs scripts: each is replaced by a fresh one, in order, so that later ones see earlier ones. */
async function html(source: string, into: HTMLElement): Promise<void> {
  const template = document.createElement('template')
  template.innerHTML = source
  const scripts = [...template.content.querySelectorAll('script')]
  into.append(template.content)
  for (const old of scripts) {
    const place = document.createElement('span')
    place.hidden = true
    old.replaceWith(place)
    await script(old.textContent ?? '', Object.fromEntries([...old.attributes].map(({ name, value }) => [name, value])), place)
  }
}

/** Plotly's own page of itself; ours is the same program, and is here without the internet. */
const PLOTLY_ELSEWHERE = /(?:cdn\.plot\.ly|cdn\.jsdelivr\.net\/npm\/plotly\.js|cdnjs\.cloudflare\.com\/ajax\/libs\/plotly\.js)/

/** Its `notebook_connected` fetches itself by a module of one line. */
const IMPORT_CHARACTERS_MAX = 200

async function script(code: string, attributes: Readonly<Record<string, string>>, place: HTMLElement): Promise<void> {
  const { src, type } = attributes
  if (namesBokeh(src ?? code)) {
    // The sums that go with an address elsewhere are of no use to a file that came from the runtime.
    const { integrity: _sum, crossorigin: _mode, ...rest } = attributes
    const near = await withBokeh(src ?? code)
    if (near !== (src ?? code)) return src === undefined ? script(near, attributes, place) : script(code, { ...rest, src: near }, place)
  }
  if (PLOTLY_ELSEWHERE.test(src ?? (type === 'module' ? code.slice(0, IMPORT_CHARACTERS_MAX) : ''))) return (await import('./plotly')).provide()
  if (/\bPlotly\.\w/.test(code) && !('Plotly' in window) && code.length < 1_000_000) await (await import('./plotly')).provide()
  if (/\bvegaEmbed\b/.test(code) && /maybeLoadScript\(/.test(code)) await (await import('./vega')).provide(code)
  const element = document.createElement('script')
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.text = code
  const failed = (event: ErrorEvent) => {
    const note = document.createElement('pre')
    note.className = 'failed'
    note.textContent = `JavaScript error: ${event.message}`
    ;(place.parentElement ?? document.body).append(note)
  }
  addEventListener('error', failed)
  await new Promise<void>((resolve) => {
    const waits = src !== undefined || type === 'module'
    // A script that cannot be fetched must not keep the ones after it from running.
    element.onload = element.onerror = () => resolve()
    begins()
    if (place.hidden && place.tagName === 'SPAN') place.replaceWith(element)
    else place.append(element)
    if (!waits) resolve()
  }).finally(() => removeEventListener('error', failed))
}
