/** The table of contents, beside the cells. */
import { X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { headings, type Heading } from '../../model/headings'
import { IconButton } from '../kit'
import { useChrome, useDesk } from './hooks'

export function ContentsPanel() {
  const shown = useChrome((chrome) => chrome.side === 'contents')
  return shown ? <Contents /> : null
}

const REST_MS = 300

function Contents() {
  const desk = useDesk()
  const [list, setList] = useState<readonly Heading[]>(() => headings(desk.room.doc))
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const later = () => {
      clearTimeout(timer)
      timer = setTimeout(() => setList(headings(desk.room.doc)), REST_MS)
    }
    setList(headings(desk.room.doc))
    desk.room.doc.on('update', later)
    return () => {
      clearTimeout(timer)
      desk.room.doc.off('update', later)
    }
  }, [desk])
  return (
    <aside className="panel panel-left" aria-label="Table of contents">
      <div className="panel-head">
        <h2>Table of contents</h2>
        <IconButton label="Close contents" icon={<X size={16} aria-hidden />} onClick={() => desk.chrome.setState({ side: null })} />
      </div>
      {list.length === 0 && <p className="panel-note">Headings in text cells appear here. Begin a line with # to make one.</p>}
      <ol className="contents">
        {list.map(({ cell, text, level }, at) => (
          <li key={`${cell}-${at}`}>
            <button type="button" style={{ paddingLeft: 8 + (level - 1) * 16 }} data-level={level} onClick={() => desk.goTo(cell)}>
              {text}
            </button>
          </li>
        ))}
      </ol>
    </aside>
  )
}
