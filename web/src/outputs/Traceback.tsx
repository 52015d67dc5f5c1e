/** An error: its frames, each with a way to its line, and those of libraries folded away. */
import { Check, Copy, PackagePlus } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { t, tn } from '../i18n'
import type { ErrorOutput } from '../model/wire'
import { appendAnsi, withoutAnsi } from './ansi'
import { LongText } from './Stream'
import { type CodePlace, folded, type Piece, piecesOf } from './traceback'

/** Beyond it, nobody reads it frame by frame. */
const CHARACTERS_MAX = 200_000
/** More lines than this may be taller than the box. */
const LINES_MAX = 25

interface TracebackProps {
  readonly output: ErrorOutput
  readonly onPlace: ((place: CodePlace) => void) | undefined
  /** Present: a package that is missing can be asked for. */
  readonly onInstall: ((name: string) => void) | undefined
}

export function Traceback({ output, onPlace, onInstall }: TracebackProps) {
  const text = output.traceback.length > 0 ? output.traceback.join('\n') : `${output.ename}: ${output.evalue}`
  const groups = useMemo(() => (text.length > CHARACTERS_MAX ? null : folded(piecesOf(text))), [text])
  const label = t('{error}: traceback', { error: output.ename })
  const box = useRef<HTMLDivElement>(null)
  const long = groups !== null && text.split('\n', LINES_MAX + 1).length > LINES_MAX
  useLayoutEffect(() => {
    // What went wrong stands at the end. Asking every short one for its height would lay the page out each time.
    if (long && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [long, text])
  if (groups === null) return <LongText text={text} className="output-error" label={label} follow />
  return (
    <div className="output-error">
      <div ref={box} className="stream traceback" role="group" aria-label={label} tabIndex={0}>
        {groups.map((pieces, at) =>
          pieces.length > 1 ? (
            <details key={at} className="traceback-folded">
              <summary>{tn('{count} frame in libraries', '{count} frames in libraries', pieces.length)}</summary>
              {pieces.map((piece, index) => (
                <Frame key={index} piece={piece} onPlace={onPlace} />
              ))}
            </details>
          ) : (
            pieces.map((piece, index) => <Frame key={index} piece={piece} onPlace={onPlace} />)
          ),
        )}
      </div>
      <div className="output-actions">
        {onInstall && /^(?:ModuleNotFound|Import)Error$/.test(output.ename) && <Install output={output} onInstall={onInstall} />}
        <CopyError text={text} />
      </div>
    </div>
  )
}

function Install({ output, onInstall }: { output: ErrorOutput; onInstall: (name: string) => void }) {
  const [name, setName] = useState<string | null>(null)
  useEffect(() => {
    let here = true
    void import('./packages').then(({ packageFor }) => here && setName(packageFor(output)), () => undefined)
    return () => {
      here = false
    }
  }, [output])
  if (name === null) return null
  return (
    <button type="button" className="output-link output-toggle" title={t('Write a cell that installs it')} onClick={() => onInstall(name)}>
      <PackagePlus size={14} aria-hidden />
      {t('Install {name}', { name })}
    </button>
  )
}

function CopyError({ text }: { text: string }) {
  const [done, setDone] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(withoutAnsi(text)).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), 1500)
    })
  }
  return (
    <button type="button" className="output-link output-toggle" onClick={copy}>
      {done ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      {done ? t('Copied') : t('Copy error')}
    </button>
  )
}

function Frame({ piece, onPlace }: { piece: Piece; onPlace: ((place: CodePlace) => void) | undefined }) {
  const root = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = root.current
    if (element === null) return
    element.replaceChildren()
    appendAnsi(element, piece.text)
    if (piece.place === null || onPlace === undefined) return
    const { at, from, to } = piece.place
    const link = document.createElement('button')
    link.type = 'button'
    link.className = 'traceback-link'
    link.title = at.kind === 'cell' ? t('Go to this cell and line') : t('Open this file')
    link.onclick = () => onPlace(at)
    wrap(element, from, to, link)
  }, [piece, onPlace])
  return <div ref={root} className="traceback-frame" />
}

/** Puts what stands between two characters of an element's text into another element. */
function wrap(element: HTMLElement, from: number, to: number, into: HTMLElement): void {
  const range = document.createRange()
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let at = 0
  let begun = false
  for (let node = walker.nextNode() as Text | null; node !== null; node = walker.nextNode() as Text | null) {
    if (!begun && from < at + node.length) {
      range.setStart(node, from - at)
      begun = true
    }
    if (begun && to <= at + node.length) {
      range.setEnd(node, to - at)
      into.append(range.extractContents())
      range.insertNode(into)
      return
    }
    at += node.length
  }
}
