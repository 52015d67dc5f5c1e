/** What a cell printed: in a box that scrolls when it is long, with the way to the whole of it. */
import { ChevronsDownUp, ChevronsUpDown, Download } from 'lucide-react'
import { type RefObject, useCallback, useContext, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { decimals } from '../i18n/formats'
import { t } from '../i18n'
import { joined, type NotebookId, type StreamOutput } from '../model/wire'
import { StreamView } from './stream'
import { logAddress } from './values'
import { TextViewContext } from './view'

/** Text with more lines than this is shown in a box of its own. */
const LINES_MAX = 40

export function isLong(text: string): boolean {
  if (text.length > 8192) return true
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) if (++lines > LINES_MAX) return true
  return false
}

interface TextProps {
  readonly text: string
  readonly omittedAt?: number | null
  readonly className: string
  readonly label: string
  /** Begin at the end, and stay there as the text grows, until the person scrolls up. */
  readonly follow?: boolean
  readonly gap?: (where: HTMLElement) => React.ReactNode
}

/** Text of any length. */
export function LongText({ text, omittedAt = null, className, label, follow = false, gap }: TextProps) {
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<StreamView>(null)
  const [where, setWhere] = useState<HTMLElement | null>(null)
  const [open, setOpen] = useState(false)
  const { scrolled } = useContext(TextViewContext)
  const long = scrolled === undefined && isLong(text)
  const boxed = long && !open
  const stick = useFollowing(box, follow)
  useLayoutEffect(() => {
    const root = box.current
    if (root === null) return
    view.current ??= new StreamView(root)
    view.current.show(text, omittedAt)
    // Few texts leave something out; the others are not drawn a second time.
    if (omittedAt !== null) setWhere(view.current.gap)
    // Only a box scrolls; asking a thousand short outputs for their height would lay the page out a thousand times.
    if (boxed) stick()
  }, [text, omittedAt, stick, boxed])
  return (
    <div className={boxed ? `${className} output-boxed` : className}>
      <div ref={box} className="stream" {...(boxed && { tabIndex: 0, role: 'group', 'aria-label': label })} />
      {where !== null && omittedAt !== null && gap !== undefined && createPortal(gap(where), where)}
      {long && (
        <button type="button" className="output-link output-toggle" onClick={() => setOpen(!open)} aria-expanded={open}>
          {open ? <ChevronsDownUp size={14} aria-hidden /> : <ChevronsUpDown size={14} aria-hidden />}
          {open ? t('Show in a box') : t('Show at full height')}
        </button>
      )}
    </div>
  )
}

/** Keeps the box at its end, unless the person has scrolled up; at the bottom again, it follows again. */
function useFollowing(box: RefObject<HTMLDivElement | null>, follow: boolean): () => void {
  const follows = useRef(follow)
  const grown = useRef<ResizeObserver>(null)
  // Where it was last seen; asking each of a thousand outputs would lay the page out a thousand times.
  const last = useRef(0)
  useLayoutEffect(() => {
    const root = box.current
    if (root === null) return
    follows.current = follow
    const look = () => {
      // Growing text leaves the end behind without anybody having scrolled; only going up is a wish.
      if (root.scrollTop < last.current - 1) follows.current = false
      else if (root.scrollTop + root.clientHeight >= root.scrollHeight - 24) follows.current = follow
      last.current = root.scrollTop
    }
    root.addEventListener('scroll', look, { passive: true })
    return () => {
      root.removeEventListener('scroll', look)
      grown.current?.disconnect()
      grown.current = null
    }
  }, [box, follow])
  return useCallback(() => {
    const root = box.current
    if (root === null || !follow) return
    const go = () => {
      if (follows.current) root.scrollTop = root.scrollHeight
    }
    go()
    if (grown.current !== null) return
    // What is off the screen is measured only when it is drawn: then the end is elsewhere.
    grown.current = new ResizeObserver(go)
    for (const part of root.children) grown.current.observe(part)
  }, [box, follow])
}

function sizeWords(bytes: number): string {
  return bytes >= 1e6 ? `${decimals(bytes / 1e6, 1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} KB`
}

export function Stream({ output, notebook, execution, running }: { output: StreamOutput; notebook: NotebookId; execution: string | null; running: boolean }) {
  const text = joined(output.text)
  // A progress bar ends its line on stderr; an empty line is no message.
  const error = output.name === 'stderr' && /\S/.test(text.slice(0, 1000))
  return (
    <LongText
      text={text}
      omittedAt={output.omitted?.at ?? null}
      className={error ? 'output-stream output-stderr' : 'output-stream'}
      label={error ? t('Error messages') : t('Printed text')}
      follow={running}
      gap={() => (
        <span className="omitted">
          <span>{t('{size} left out here', { size: sizeWords(output.omitted?.bytes ?? 0) })}</span>
          {execution !== null && (
            <a href={logAddress(notebook, execution)} download>
              <Download size={14} aria-hidden /> {t('Download the full log')}
            </a>
          )}
        </span>
      )}
    />
  )
}
