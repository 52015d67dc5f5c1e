/** Markdown as people read it; what reads it is fetched with the first one. */
import './markdown.css'
import { type MouseEvent, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import type { MimeBundle } from '../model/wire'
import { setMath } from './math'

export interface MarkdownProps {
  readonly source: string
  readonly attachments?: Readonly<Record<string, MimeBundle>>
}

type Render = typeof import('./markdown').renderMarkdown

let render: Render | undefined
let loading: Promise<void> | undefined
const waiting = new Set<() => void>()

/** Fetches what renders Markdown, once; a failure lets the next one try again. */
export function loadMarkdown(): void {
  loading ??= import('./markdown').then(
    ({ renderMarkdown }) => {
      render = renderMarkdown
      for (const tell of waiting) tell()
    },
    () => {
      // Without it, the text is shown as it was written.
      loading = undefined
    },
  )
}

function subscribe(tell: () => void): () => void {
  waiting.add(tell)
  loadMarkdown()
  return () => waiting.delete(tell)
}

export function Markdown({ source, attachments }: MarkdownProps) {
  const root = useRef<HTMLDivElement>(null)
  const renderer = useSyncExternalStore(subscribe, () => render)
  useLayoutEffect(() => {
    if (renderer === undefined) {
      root.current?.replaceChildren(source)
      return
    }
    const fragment = renderer(source, attachments)
    setMath(fragment)
    root.current?.replaceChildren(fragment)
  }, [renderer, source, attachments])
  return <div className={renderer === undefined ? 'markdown markdown-raw' : 'markdown'} ref={root} onClick={followAnchor} />
}

/** Jupyter's addresses of headings: the heading's words, with hyphens for spaces. */
function followAnchor(event: MouseEvent): void {
  const link = (event.target as Element).closest('a[href^="#"]')
  if (link === null) return
  const wanted = decodeURIComponent(link.getAttribute('href')?.slice(1) ?? '').toLowerCase()
  const heading = [...document.querySelectorAll('.markdown :is(h1,h2,h3,h4,h5,h6)')].find((one) => (one.textContent ?? '').trim().replace(/\s+/g, '-').toLowerCase() === wanted)
  if (heading === undefined) return
  event.preventDefault()
  heading.scrollIntoView({ block: 'start' })
}
