/** What a cell printed: in a box that scrolls when it is long, with the way to the whole of it. */
import { ChevronsDownUp, ChevronsUpDown, Download } from 'lucide-react'
import { type RefObject, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { joined, type NotebookId, type StreamOutput } from '../model/wire'
import { StreamView } from './stream'
import { logAddress } from './values'

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
  readonly gap?: (where: HTMLElement) => React.ReactNode
}

/** Text of any length. Following its end, as long as the person has not scrolled away from it. */
export function LongText({ text, omittedAt = null, className, label, gap }: TextProps) {
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<StreamView>(null)
  const [where, setWhere] = useState<HTMLElement | null>(null)
  const [open, setOpen] = useState(false)
  const long = isLong(text)
  const boxed = long && !open
  const follows = useFollowing(box)
  useLayoutEffect(() => {
    const root = box.current
    if (root === null) return
    if (view.current === null) {
      view.current = new StreamView(root)
      setWhere(view.current.gap)
    }
    view.current.show(text, omittedAt)
    // Only a box scrolls; asking a thousand short outputs for their height would lay the page out a thousand times.
    if (boxed && follows.current) root.scrollTop = root.scrollHeight
  }, [text, omittedAt, follows, boxed])
  return (
    <div className={boxed ? `${className} output-boxed` : className}>
      <div ref={box} className="stream" {...(boxed && { tabIndex: 0, role: 'group', 'aria-label': label })} />
      {where !== null && omittedAt !== null && gap !== undefined && createPortal(gap(where), where)}
      {long && (
        <button type="button" className="output-link output-toggle" onClick={() => setOpen(!open)} aria-expanded={open}>
          {open ? <ChevronsDownUp size={14} aria-hidden /> : <ChevronsUpDown size={14} aria-hidden />}
          {open ? 'Show in a box' : 'Show at full height'}
        </button>
      )}
    </div>
  )
}

/** Whether the box stands at its end: true at first, false once the person scrolls up, true again at the bottom. */
function useFollowing(box: RefObject<HTMLDivElement | null>): RefObject<boolean> {
  const follows = useRef(true)
  useLayoutEffect(() => {
    const root = box.current
    if (root === null) return
    const look = () => {
      follows.current = root.scrollTop + root.clientHeight >= root.scrollHeight - 24
    }
    root.addEventListener('scroll', look, { passive: true })
    return () => root.removeEventListener('scroll', look)
  }, [box])
  return follows
}

function sizeWords(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} KB`
}

export function Stream({ output, notebook, execution }: { output: StreamOutput; notebook: NotebookId; execution: string | null }) {
  const error = output.name === 'stderr'
  return (
    <LongText
      text={joined(output.text)}
      omittedAt={output.omitted?.at ?? null}
      className={error ? 'output-stream output-stderr' : 'output-stream'}
      label={error ? 'Error messages' : 'Printed text'}
      gap={() => (
        <span className="omitted">
          <span>{sizeWords(output.omitted?.bytes ?? 0)} left out here</span>
          {execution !== null && (
            <a href={logAddress(notebook, execution)} download>
              <Download size={14} aria-hidden /> Download the full log
            </a>
          )}
        </span>
      )}
    />
  )
}
