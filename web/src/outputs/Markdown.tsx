/** Markdown as people read it. */
import './markdown.css'
import { type MouseEvent, useLayoutEffect, useRef } from 'react'
import type { MimeBundle } from '../model/wire'
import { renderMarkdown } from './markdown'
import { setMath } from './math'

export interface MarkdownProps {
  readonly source: string
  readonly attachments?: Readonly<Record<string, MimeBundle>>
}

export function Markdown({ source, attachments }: MarkdownProps) {
  const root = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const fragment = renderMarkdown(source, attachments)
    setMath(fragment)
    root.current?.replaceChildren(fragment)
  }, [source, attachments])
  return <div className="markdown" ref={root} onClick={followAnchor} />
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
