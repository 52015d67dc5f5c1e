/** One cell on the page: its frame, its focus, and the bar above it for new ones. */
import { ChevronDown, ChevronRight, GripVertical, Lock, MessageSquare, Play } from 'lucide-react'
import { memo, type MouseEvent, useCallback, useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { t, tn } from '../../i18n'
import { classes, later, notifyError } from '../kit'
import type { CellMap, CellType } from '../../model/notebook'
import type { View } from '../../model/view'
import type { CellId } from '../../model/wire'
import { mac } from '../commands/keys'
import { CellToolbar } from './CellToolbar'
import { CodeCell } from './CodeCell'
import { Contained } from './Contained'
import type { Desk } from './desk'
import { dragEnded, dragStarted } from './drop'
import { fold, whole } from './folding'
import { NearContext, useCellMap, useDesk, useFacts, useKey, useMay, useSection, useView } from './hooks'
import { InsertBar } from './InsertBar'
import type { SourceHandle } from './Source'
import { TextCell } from './TextCell'

const OverlapPanel = later(() => import('../overlaps/OverlapPanel'))

const FOCUSED = 1
const EDITING = 2
const CHOSEN = 4

/** How a cell stands among the others, as one number: each of a thousand listens once for it. */
function standing({ focused, editing, selected }: View, id: CellId): number {
  const here = focused === id
  return (here ? FOCUSED : 0) | (here && editing ? EDITING : 0) | (selected.size > 1 && selected.has(id) ? CHOSEN : 0)
}

export const Cell = memo(function Cell({ id }: { id: CellId }) {
  const cell = useCellMap(id)
  return cell ? <CellFrame id={id} cell={cell} /> : null
})

function CellFrame({ id, cell }: { id: CellId; cell: CellMap }) {
  const desk = useDesk()
  const type = useKey<CellType>(cell, 't')
  const facts = useFacts(cell)
  const now = useView((view) => standing(view, id))
  const focused = (now & FOCUSED) !== 0
  const editing = (now & EDITING) !== 0
  const chosen = (now & CHOSEN) !== 0
  const [hovered, setHovered] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const source = useRef<SourceHandle>(null)
  const [wanted, setWanted] = useState<'start' | 'end' | null>(null)

  useEffect(() => {
    const edit = (at: 'start' | 'end') => {
      // A source that is hidden, or whose form stands in its place, has no editor: the cell itself has the keys then.
      if (desk.type(id) === 'code') return source.current ? source.current.edit(at) : root.current?.focus()
      desk.act({ do: 'open', cell: id })
      // The editor of a text cell comes with its opening.
      if (source.current) source.current.edit(at)
      else setWanted(at)
    }
    return desk.enter(id, { root: root.current!, edit, cursors: () => source.current?.cursors() ?? [] })
  }, [desk, id])

  useEffect(() => {
    if (wanted === null || !source.current) return
    source.current.edit(wanted)
    setWanted(null)
  })

  const leave = useCallback(() => {
    desk.act({ do: 'close', cell: id })
    desk.goTo(id)
  }, [desk, id])

  return (
    <div
      ref={root}
      role="listitem"
      aria-label={type === 'code' ? t('Code cell') : t('Text cell')}
      data-cell-id={id}
      tabIndex={focused ? 0 : -1}
      className={classes('cell', `cell-${type}`, focused && 'cell-focused', editing && 'cell-editing', chosen && 'cell-chosen')}
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
      onFocus={(event) => {
        if (event.target === root.current || !desk.view.getState().selected.has(id)) focus(desk, id, event.target === root.current)
      }}
      onMouseDown={(event) => pressed(desk, id, event)}
      onMouseDownCapture={(event) => extended(desk, id, event)}
      aria-description={chosen ? t('Selected') : undefined}
    >
      <InsertBar above={id} near={focused} />
      <NearContext value={focused || hovered}>
        {type === 'code' ? <CodeCell id={id} cell={cell} facts={facts} source={source} leave={leave} /> : <TextCell id={id} cell={cell} raw={type === 'raw'} source={source} leave={leave} />}
      </NearContext>
      <Section id={id} />
      {facts.readOnly && <Locked />}
      <Talked id={id} />
      <Overlapped id={id} />
      {(focused || hovered) && (
        <>
          <Handle id={id} />
          <CellToolbar id={id} cell={cell} type={type} />
        </>
      )}
    </div>
  )
}

/** Shift and a click into the text of another cell choose up to it, before its editor hears of it. */
function extended(desk: Desk, id: CellId, event: MouseEvent): void {
  const { focused } = desk.view.getState()
  if (!event.shiftKey || event.button !== 0 || focused === null || focused === id || !(event.target as Element).closest('.source')) return
  event.preventDefault()
  event.stopPropagation()
  desk.act({ do: 'extend', to: id, order: desk.outline.current() })
  desk.placeOf(id)?.focus({ preventScroll: true })
}

/** Shift chooses up to here, Ctrl (or Cmd) this one too; in the text that one is in these keys are the text's own. */
function pressed(desk: Desk, id: CellId, event: MouseEvent): void {
  const target = event.target as Element
  if (target.closest('.source, .output, .cell-tools, .cell-handle')) return
  const adds = event.metaKey || (event.ctrlKey && !mac)
  if (event.shiftKey || adds) {
    event.preventDefault()
    const order = desk.outline.current()
    desk.act(event.shiftKey ? { do: 'extend', to: id, order } : { do: 'toggle', cell: id, order })
    const { focused } = desk.view.getState()
    if (focused !== null) desk.placeOf(focused)?.focus({ preventScroll: true })
  } else if (!target.closest('button, a, input, textarea, select, iframe')) desk.act({ do: 'focus', cell: id, editing: false })
}

/** Taken to drag the cell, or all that is selected. Keys have Move up and Move down. */
function Handle({ id }: { id: CellId }) {
  const desk = useDesk()
  const touched = useRef(false)
  return (
    <span
      className="cell-handle"
      aria-hidden
      title={t('Drag to move')}
      draggable
      onPointerDown={(event) => {
        touched.current = event.pointerType !== 'mouse'
        if (!touched.current || !desk.may('write')) return
        const { currentTarget, pointerId } = event
        void import('./touchdrag').then(({ touchDrag }) => touchDrag(desk, id, currentTarget, pointerId), (error: unknown) => notifyError(t('This could not be loaded'), error))
      }}
      onDragStart={(event) => (touched.current ? event.preventDefault() : dragStarted(desk, id, event))}
      onDragEnd={dragEnded}
    >
      <GripVertical size={14} aria-hidden />
    </span>
  )
}

/** Of the section that a cell begins: its arrow, and what stands in the place of its cells while it is collapsed. */
function Section({ id }: { id: CellId }) {
  const desk = useDesk()
  const section = useSection(id)
  if (!section || section.size === 0) return null
  const label = section.folded ? t('Expand section') : t('Collapse section')
  return (
    <>
      <button type="button" className="cell-fold" aria-label={label} title={label} aria-expanded={!section.folded} onMouseDown={(event) => event.preventDefault()} onClick={() => fold(desk, id, !section.folded)}>
        {section.folded ? <ChevronRight size={18} aria-hidden /> : <ChevronDown size={18} aria-hidden />}
      </button>
      {section.folded && <HiddenRow id={id} size={section.size} />}
    </>
  )
}

function HiddenRow({ id, size }: { id: CellId; size: number }) {
  const desk = useDesk()
  const may = useMay('run')
  return (
    <div className="cell-hidden">
      {may && (
        <button type="button" className="cell-hidden-run" aria-label={t('Run the hidden cells')} title={t('Run the hidden cells')} onClick={() => desk.run(whole(desk, id))}>
          <Play size={13} fill="currentColor" aria-hidden />
        </button>
      )}
      <button type="button" className="cell-hidden-count" onClick={() => fold(desk, id, false)}>
        {tn('{count} cell hidden', '{count} cells hidden', size)}
      </button>
    </div>
  )
}

function Locked() {
  return (
    <span className="cell-locked" title={t('Nobody may change this cell until the mark is taken away in its menu')}>
      <Lock size={11} aria-hidden /> {t('Read-only')}
    </span>
  )
}

/** How much is said about a cell; pressing it shows what. */
function Talked({ id }: { id: CellId }) {
  const desk = useDesk()
  const count = useStore(desk.talk, (talk) => talk.counts.get(id) ?? 0)
  if (count === 0) return null
  const label = tn('{count} thread of comments', '{count} threads of comments', count)
  return (
    <button type="button" className="cell-talked" aria-label={label} title={label} onClick={() => desk.talk.setState({ shown: { cell: id } })}>
      <MessageSquare size={12} aria-hidden /> {count}
    </button>
  )
}

/** Shown where a file from outside and what was written here met. */
function Overlapped({ id }: { id: CellId }) {
  const met = useStore(useDesk().overlaps, (cells) => cells.get(id))
  return met && (
    <Contained of={met} what={t('The overlap with a file')}>
      <OverlapPanel id={id} overlaps={met} />
    </Contained>
  )
}

function focus(desk: ReturnType<typeof useDesk>, id: CellId, command: boolean): void {
  const { selected } = desk.view.getState()
  if (command && selected.size > 1 && selected.has(id)) return
  desk.act({ do: 'focus', cell: id, editing: false })
}
