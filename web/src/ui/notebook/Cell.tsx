/** One cell on the page: its frame, its focus, and the bar above it for new ones. */
import { MessageSquare } from 'lucide-react'
import { memo, useCallback, useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { classes, later } from '../kit'
import type { CellMap, CellType } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { CellToolbar } from './CellToolbar'
import { CodeCell } from './CodeCell'
import { Contained } from './Contained'
import { useCellMap, useDesk, useKey, useView } from './hooks'
import { InsertBar } from './InsertBar'
import type { SourceHandle } from './Source'
import { TextCell } from './TextCell'

const OverlapPanel = later(() => import('../overlaps/OverlapPanel'))

export const Cell = memo(function Cell({ id, before }: { id: CellId; before: CellId | null }) {
  const cell = useCellMap(id)
  return cell ? <CellFrame id={id} cell={cell} before={before} /> : null
})

function CellFrame({ id, cell, before }: { id: CellId; cell: CellMap; before: CellId | null }) {
  const desk = useDesk()
  const type = useKey<CellType>(cell, 't')
  const focused = useView((view) => view.focused === id)
  const editing = useView((view) => view.focused === id && view.editing)
  const chosen = useView((view) => view.selected.size > 1 && view.selected.has(id))
  const [hovered, setHovered] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const source = useRef<SourceHandle>(null)
  const [wanted, setWanted] = useState<'start' | 'end' | null>(null)

  useEffect(() => {
    const edit = (at: 'start' | 'end') => {
      if (desk.type(id) === 'code') return source.current?.edit(at)
      desk.act({ do: 'open', cell: id })
      // The editor of a text cell comes with its opening.
      if (source.current) source.current.edit(at)
      else setWanted(at)
    }
    return desk.enter(id, { root: root.current!, edit, cursor: () => source.current?.cursor() ?? null })
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
      aria-label={type === 'code' ? 'Code cell' : 'Text cell'}
      data-cell-id={id}
      tabIndex={focused ? 0 : -1}
      className={classes('cell', `cell-${type}`, focused && 'cell-focused', editing && 'cell-editing', chosen && 'cell-chosen')}
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
      onFocus={(event) => {
        if (event.target === root.current || !desk.view.getState().selected.has(id)) focus(desk, id, event.target === root.current)
      }}
      onMouseDown={(event) => {
        const target = event.target as Element
        if (event.shiftKey && !target.closest('.source, .output')) {
          event.preventDefault()
          desk.act({ do: 'extend', to: id, order: desk.outline.current() })
        } else if (!target.closest('button, a, input, textarea, iframe, .source')) desk.act({ do: 'focus', cell: id, editing: false })
      }}
    >
      <InsertBar after={before} near={focused} />
      {type === 'code' ? <CodeCell id={id} cell={cell} source={source} leave={leave} /> : <TextCell id={id} cell={cell} raw={type === 'raw'} source={source} leave={leave} />}
      <Talked id={id} />
      <Overlapped id={id} />
      {(focused || hovered) && <CellToolbar id={id} type={type} />}
    </div>
  )
}

/** How much is said about a cell; pressing it shows what. */
function Talked({ id }: { id: CellId }) {
  const desk = useDesk()
  const count = useStore(desk.talk, (talk) => talk.counts.get(id) ?? 0)
  if (count === 0) return null
  const label = count === 1 ? '1 thread of comments' : `${count} threads of comments`
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
    <Contained of={met} what="The overlap with a file">
      <OverlapPanel id={id} overlaps={met} />
    </Contained>
  )
}

function focus(desk: ReturnType<typeof useDesk>, id: CellId, command: boolean): void {
  const { selected } = desk.view.getState()
  if (command && selected.size > 1 && selected.has(id)) return
  desk.act({ do: 'focus', cell: id, editing: false })
}
