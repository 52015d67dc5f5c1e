/** A bundle's values, wherever they are: in the output itself, or on the server because they are large. */
import { useEffect, useState } from 'react'
import { isBlob, type MimeValue, type NotebookId } from '../model/wire'

/** More text than this is cut on the screen, and offered whole. */
export const TEXT_SHOWN_MAX = 1_048_576

export function blobAddress(notebook: NotebookId, sha256: string): string {
  return `/api/v1/notebooks/${encodeURIComponent(notebook)}/blobs/${encodeURIComponent(sha256)}`
}

export function logAddress(notebook: NotebookId, execution: string): string {
  return `/api/v1/notebooks/${encodeURIComponent(notebook)}/executions/${encodeURIComponent(execution)}/log`
}

/** A value that is in the output as text; JSON is written out. */
export function textOf(value: MimeValue): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((line) => typeof line === 'string')) return value.join('')
  return JSON.stringify(value, null, 2)
}

export interface Loaded {
  readonly text: string
  /** The rest is only on the server. */
  readonly cut: boolean
}

/** Reads at most `max` characters, and stops the transfer there. */
export async function readText(address: string, max: number, signal?: AbortSignal): Promise<Loaded> {
  const answer = await fetch(address, { credentials: 'same-origin', ...(signal && { signal }) })
  if (!answer.ok) throw new Error(answer.status === 404 ? 'This output is no longer kept.' : `The output could not be loaded (${answer.status}).`)
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (reader === undefined) return { text: await answer.text(), cut: false }
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { text, cut: false }
    text += value
    if (text.length > max) {
      await reader.cancel()
      return { text: text.slice(0, max), cut: true }
    }
  }
}

export type Text = { readonly state: 'loading' } | { readonly state: 'failed'; readonly message: string } | ({ readonly state: 'ready' } & Loaded)

/** A value's text; fetched, and fetched again only when the value is another one. */
export function useText(notebook: NotebookId, value: MimeValue, max: number = TEXT_SHOWN_MAX): Text {
  const address = isBlob(value) ? blobAddress(notebook, value.$blob) : null
  const [fetched, setFetched] = useState<Text>({ state: 'loading' })
  useEffect(() => {
    if (address === null) return
    const stop = new AbortController()
    setFetched({ state: 'loading' })
    readText(address, max, stop.signal).then(
      (loaded) => setFetched({ state: 'ready', ...loaded }),
      (error: unknown) => stop.signal.aborted || setFetched({ state: 'failed', message: error instanceof Error ? error.message : String(error) }),
    )
    return () => stop.abort()
  }, [address, max])
  if (address !== null) return fetched
  const text = textOf(value)
  return { state: 'ready', text: text.length > max ? text.slice(0, max) : text, cut: text.length > max }
}

/** All of a value, for a frame, which cannot fetch. */
export async function wholeValue(notebook: NotebookId, value: MimeValue, mime: string): Promise<MimeValue> {
  if (!isBlob(value)) return value
  const address = blobAddress(notebook, value.$blob)
  if (!isBinary(mime)) {
    const { text } = await readText(address, Number.POSITIVE_INFINITY)
    // Bokeh sends its scripts as text under a type of JSON.
    const parsed = value.form === undefined ? /[/+]json$/.test(mime) : value.form === 'json'
    return parsed ? (JSON.parse(text) as MimeValue) : text
  }
  const answer = await fetch(address, { credentials: 'same-origin' })
  if (!answer.ok) throw new Error(`The output could not be loaded (${answer.status}).`)
  return base64(new Uint8Array(await answer.arrayBuffer()))
}

export function isBinary(mime: string): boolean {
  return (/^(image|audio|video)\//.test(mime) && mime !== 'image/svg+xml') || mime === 'application/pdf'
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

/** The bytes of a value that is in the output as base64; null when it is not. */
export function bytesOf(value: MimeValue): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(textOf(value).replace(/\s+/g, '')), (letter) => letter.charCodeAt(0))
  } catch {
    // A stranger's text that claims to be base64.
    return null
  }
}
