/** Markdown as people read it; what reads it is fetched with the first one. */
import './markdown.css'
import { type MouseEvent, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'
import { t } from '../i18n'
import type { CellId, MimeBundle, NotebookId, Output } from '../model/wire'
import { FrameOutput } from './FrameOutput'
import { type Diagram, Pieces, setTasks } from './pieces'
import { reachable } from './reach'

export interface MarkdownProps {
  readonly source: string
  readonly attachments?: Readonly<Record<string, MimeBundle>>
  /** Whose text it is: its diagrams are then drawn, in frames without a network. */
  readonly of?: { readonly notebook: NotebookId; readonly cell: CellId }
  /** Present: the person may tick tasks. Given where the mark between the brackets stands in the source. */
  readonly onTask?: (place: number) => void
}

type Reader = typeof import('./markdown')

let reader: Reader | undefined
let loading: Promise<void> | undefined
const waiting = new Set<() => void>()

/** Fetches what renders Markdown, once; a failure lets the next one try again. */
export function loadMarkdown(): void {
  loading ??= import('./markdown').then(
    (module) => {
      reader = module
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

const NO_DIAGRAMS: readonly Diagram[] = []

export function Markdown({ source, attachments, of, onTask }: MarkdownProps) {
  const root = useRef<HTMLDivElement>(null)
  const pieces = useRef<Pieces>(null)
  const read = useSyncExternalStore(subscribe, () => reader)
  const [diagrams, setDiagrams] = useState(NO_DIAGRAMS)
  const drawn = of !== undefined
  const tick = useRef(onTask)
  useEffect(() => {
    tick.current = onTask
  })
  const may = onTask !== undefined
  useLayoutEffect(() => {
    const element = root.current!
    if (read === undefined) {
      element.replaceChildren(source)
      return
    }
    pieces.current ??= new Pieces(element)
    pieces.current.show(read.renderMarkdown(source, attachments), drawn)
    reachable(element)
    if (element.querySelector('.task')) {
      const places = read.taskPlaces(source)
      setTasks(element, places.length, t('Task'), may ? (task) => places[task]! >= 0 && tick.current?.(places[task]!) : undefined)
    }
    setDiagrams(pieces.current.diagrams.length > 0 ? pieces.current.diagrams : NO_DIAGRAMS)
  }, [read, source, attachments, drawn, may])
  return (
    <>
      <div className={read === undefined ? 'markdown markdown-raw' : 'markdown'} ref={root} onClick={followAnchor} />
      {of && diagrams.map(({ place, source: drawing }, at) => createPortal(<Drawn of={of} at={at} source={drawing} />, place, String(at)))}
    </>
  )
}

/** A diagram is drawn by a program that is far too large for the page, in a place where what it is told can do no harm. */
function Drawn({ of, at, source }: { of: NonNullable<MarkdownProps['of']>; at: number; source: string }) {
  const [outputs, setOutputs] = useState<readonly Output[]>(() => outputsOf(source))
  useEffect(() => setOutputs(outputsOf(source)), [source])
  return <FrameOutput notebook={of.notebook} cell={`${of.cell}/diagram-${at}`} outputs={outputs} network="closed" />
}

const outputsOf = (source: string): readonly Output[] => [{ output_type: 'display_data', data: { 'text/vnd.mermaid': source, 'text/plain': source }, metadata: {} }]

/** To a footnote and back; and Jupyter's addresses of headings: the heading's words, with hyphens for spaces. */
function followAnchor(event: MouseEvent): void {
  const link = (event.target as Element).closest('a[href^="#"]')
  if (link === null) return
  const note = reader?.footnoteOf(link, event.currentTarget)
  if (note) {
    event.preventDefault()
    if (!note.matches('a')) note.tabIndex = -1
    note.scrollIntoView({ block: 'nearest' })
    note.focus({ preventScroll: true })
    return
  }
  const wanted = words(link.getAttribute('href')?.slice(1) ?? '').toLowerCase()
  const heading = [...document.querySelectorAll('.markdown :is(h1,h2,h3,h4,h5,h6)')].find((one) => (one.textContent ?? '').trim().replace(/\s+/g, '-').toLowerCase() === wanted)
  if (heading === undefined) return
  event.preventDefault()
  heading.scrollIntoView({ block: 'start' })
}

function words(address: string): string {
  try {
    return decodeURIComponent(address)
  } catch {
    // A stray percent sign: as it stands.
    return address
  }
}
