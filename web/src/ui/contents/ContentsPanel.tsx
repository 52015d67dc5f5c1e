/** The table of contents: a tree of headings that is walked, collapsed, run and put in another order. */
import { ChevronDown, ChevronRight, Play, X } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { useArrival } from '../arrival'
import { classes, IconButton } from '../kit'
import { moveSection } from '../notebook/arranging'
import { arranged } from './moving'
import { type Row, rowsOf } from './rows'
import { fold, whole } from '../notebook/folding'
import { useChrome, useDesk, useMay, useOrder } from '../notebook/hooks'
import './contents.css'
import { useReading } from './useReading'

const MIME = 'application/x-collegium-section'

export default function ContentsPanel() {
  const shown = useChrome((chrome) => chrome.side === 'contents')
  return shown ? <Contents /> : null
}

function Contents() {
  const desk = useDesk()
  const { headings, layout } = desk.folding
  const order = useOrder()
  const version = useSyncExternalStore(headings.subscribe, headings.version)
  const sections = useStore(layout, (state) => state.sections)
  // Headings are read anew only when one of them changes: what is typed elsewhere is no business of this panel.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const rows = useMemo(() => rowsOf(order, headings.of, sections), [order, headings, sections, version])
  const reading = useReading(desk, rows)
  const [at, setAt] = useState<string | null>(null)
  const close = () => desk.chrome.setState({ side: null })
  const panel = useArrival(true, close, '[role="treeitem"][tabindex="0"]')
  const tree = useRef<HTMLUListElement>(null)
  const here = rows.some(({ key }) => key === at) ? at : (reading ?? rows[0]?.key ?? null)

  const go = (row: Row | undefined) => {
    if (!row) return
    tree.current?.querySelector<HTMLElement>(`[data-key="${row.key}"]`)?.focus()
  }
  const key = (event: KeyboardEvent) => {
    const index = rows.findIndex((row) => row.key === here)
    const row = rows[index]
    if (!row) return
    const alt = event.altKey
    if (event.key === 'ArrowDown' && !alt) go(rows[index + 1])
    else if (event.key === 'ArrowUp' && !alt) go(rows[index - 1])
    else if (event.key === 'Home') go(rows[0])
    else if (event.key === 'End') go(rows.at(-1))
    else if (event.key === 'ArrowRight' && row.folded) fold(desk, row.cell, false)
    else if (event.key === 'ArrowLeft' && row.size > 0 && !row.folded) fold(desk, row.cell, true)
    else if (event.key === 'ArrowLeft') go(rows.slice(0, index).findLast(({ level }) => level < row.level))
    else if (alt && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) moveSection(desk, row.cell, event.key === 'ArrowUp' ? -1 : 1)
    else if (event.key === 'Enter' || event.key === ' ') desk.goTo(row.cell)
    else return
    event.preventDefault()
  }

  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-left contents-panel" aria-label={t('Table of contents')} data-keys="own">
      <div className="panel-head">
        <h2>{t('Table of contents')}</h2>
        <IconButton label={t('Close contents')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      {rows.length === 0 && <p className="panel-note">{t('Headings in text cells appear here. Begin a line with # to make one.')}</p>}
      {rows.length > 0 && (
        <ul role="tree" aria-label={t('Headings')} className="contents" ref={tree} onKeyDown={key}>
          {rows.map((row) => (
            <Item key={row.key} row={row} stop={row.key === here} reading={row.key === reading} onStop={() => setAt(row.key)} onGo={() => desk.goTo(row.cell)} />
          ))}
        </ul>
      )}
    </aside>
  )
}

function Item({ row, stop, reading, onStop, onGo }: { row: Row; stop: boolean; reading: boolean; onStop: () => void; onGo: () => void }) {
  const desk = useDesk()
  const runs = useMay('run')
  const writes = useMay('write')
  const [over, setOver] = useState<'above' | 'below' | null>(null)
  const takes = (event: DragEvent) => event.dataTransfer.types.includes(MIME)
  const { cell, level, text, size, folded, first } = row
  const label = folded ? t('Expand {name}', { name: text }) : t('Collapse {name}', { name: text })
  return (
    <li
      role="treeitem"
      data-key={row.key}
      aria-level={level}
      aria-expanded={first && size > 0 ? !folded : undefined}
      aria-current={reading ? 'location' : undefined}
      aria-label={text}
      tabIndex={stop ? 0 : -1}
      className={classes('contents-row', reading && 'contents-here', over && `contents-drop-${over}`)}
      style={{ paddingLeft: 4 + (level - 1) * 14 }}
      data-level={level}
      draggable={writes && first}
      onFocus={onStop}
      onClick={onGo}
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move'
        event.dataTransfer.setData(MIME, cell)
      }}
      onDragOver={(event) => {
        if (!takes(event)) return
        event.preventDefault()
        const { top, height } = event.currentTarget.getBoundingClientRect()
        setOver(event.clientY < top + height / 2 ? 'above' : 'below')
      }}
      onDragLeave={() => setOver(null)}
      onDrop={(event) => {
        if (!takes(event)) return
        event.preventDefault()
        setOver(null)
        arranged(desk, event.dataTransfer.getData(MIME), cell, over ?? 'below')
      }}
    >
      {first && size > 0 ? (
        <button
          type="button"
          className="contents-fold"
          tabIndex={-1}
          aria-label={label}
          title={label}
          onClick={(event) => {
            event.stopPropagation()
            fold(desk, cell, !folded)
          }}
        >
          {folded ? <ChevronRight size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />}
        </button>
      ) : (
        <span className="contents-fold" />
      )}
      <span className="contents-text" title={text}>{text}</span>
      {runs && first && (
        <button
          type="button"
          className="contents-run"
          tabIndex={-1}
          aria-label={t('Run section {name}', { name: text })}
          title={t('Run section')}
          onClick={(event) => {
            event.stopPropagation()
            desk.run(whole(desk, cell))
          }}
        >
          <Play size={12} fill="currentColor" aria-hidden />
        </button>
      )}
    </li>
  )
}

