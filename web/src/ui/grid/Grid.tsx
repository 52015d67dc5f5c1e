/** A table through a window: only what can be seen is on the page, and only what was looked at has been fetched. */
import { ArrowDown, ArrowUp, ChevronDown, ListFilter } from 'lucide-react'
import { type KeyboardEvent, memo, type PointerEvent, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'react'
import { type Column, looking, type Looked, type Table } from '../../api/looking'
import { number } from '../../i18n/formats'
import { t } from '../../i18n'
import { classes, Menu, type MenuEntry } from '../kit'
import { Blocks, type Cell, type Found } from './blocks'
import { isCut, shownCell, wordsOf } from './formats'
import { boxHeight, columnsShown, HEAD, placed, ROW, rowsShown, scrolled, START } from './scroll'

export interface ShownColumn {
  /** Its place in the table. */
  readonly at: number
  readonly column: Column
  readonly width: number
  readonly pinned: boolean
}
/** From one corner to the other, in the order of the screen; row -1 is the head. */
export interface Selection {
  readonly row: number
  readonly column: number
  readonly toRow: number
  readonly toColumn: number
}
export interface GridProps {
  readonly notebook: string
  readonly table: Table
  readonly looked: Looked
  readonly columns: readonly ShownColumn[]
  readonly rows: number
  readonly selection: Selection
  readonly onSelect: (selection: Selection) => void
  readonly onFound: (found: Found) => void
  readonly onFailed: (error: unknown) => void
  readonly onSort: (at: number, add: boolean) => void
  readonly onWidth: (at: number, width: number) => void
  readonly onCopy: () => void
  readonly onDetail: (row: number, at: number) => void
  readonly menu: (column: ShownColumn) => readonly MenuEntry[]
}

const WIDTH_MIN = 48
const INDEX_MIN = 56

export function Grid(props: GridProps) {
  const { notebook, table, looked, columns, rows, selection, onSelect, onFound, onFailed, menu } = props
  const box = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 800, height: 400 })
  const place = useRef(START)
  const [left, setLeft] = useState(0)
  const [, draw] = useReducer((n: number) => n + 1, 0)
  const blocks = useMemo(
    () => new Blocks(table.columns.length, (wanted, offset, limit, asker, signal) => looking.rows(notebook, looked, { columns: wanted, offset, limit, asker }, signal), {
      changed: draw, found: onFound, failed: onFailed,
      left: (asker) => void looking.stop(notebook, asker).catch(() => undefined),
    }),
    // A new view begins with nothing; what is told of it goes through callbacks that stay.
    [notebook, table, looked, onFound, onFailed],
  )
  useEffect(() => () => blocks.close(), [blocks])
  useLayoutEffect(() => {
    const element = box.current!
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const levels = Math.max(1, table.index.length)
  const indexWidth = Math.max(INDEX_MIN, table.index.length > 0 ? levels * 110 : 24 + String(table.rows).length * 8)
  const pinned = columns.filter((one) => one.pinned)
  const free = columns.filter((one) => !one.pinned)
  const pinnedWidth = indexWidth + pinned.reduce((sum, { width }) => sum + width, 0)
  const ends = useMemo(() => {
    let end = 0
    return free.map(({ width }) => (end += width))
  }, [columns])
  const window_ = Math.max(ROW, size.height - HEAD)
  const [from, to] = rowsShown(place.current, rows, window_)
  const [first, last] = columnsShown(ends, left, Math.max(0, size.width - pinnedWidth))
  const shownColumns = [...pinned.map((one, at) => ({ one, at })), ...free.slice(first, last).map((one, at) => ({ one, at: pinned.length + first + at }))]
  const wanted = shownColumns.map(({ one }) => one.at).join()
  useEffect(() => {
    if (rows > 0) blocks.look(from, to, wanted === '' ? [] : wanted.split(',').map(Number))
  }, [blocks, from, to, wanted, rows])

  const scroll = () => {
    const element = box.current!
    place.current = scrolled(place.current, element.scrollTop, rows, window_)
    setLeft(element.scrollLeft)
    draw()
  }
  const show = useCallback(
    (row: number, column: number) => {
      const element = box.current!
      const { top } = place.current
      const want = row < 0 ? null : row * ROW < top ? row * ROW : (row + 1) * ROW > top + window_ ? (row + 1) * ROW - window_ : null
      if (want !== null) {
        const next = placed(want, rows, window_)
        place.current = next.place
        element.scrollTop = next.at
      }
      const at = column - pinned.length
      if (at >= 0) {
        const begin = at === 0 ? 0 : ends[at - 1]!
        const room = element.clientWidth - pinnedWidth
        if (begin < element.scrollLeft) element.scrollLeft = begin
        else if (ends[at]! > element.scrollLeft + room) element.scrollLeft = Math.min(begin, ends[at]! - room)
      }
      draw()
    },
    [rows, window_, ends, pinned.length, pinnedWidth],
  )
  // A new view is looked at from its beginning.
  useEffect(() => {
    place.current = START
    if (box.current) box.current.scrollTop = 0
    draw()
  }, [looked])

  const key = (event: KeyboardEvent) => {
    const { toRow, toColumn } = selection
    const page = Math.max(1, Math.floor(window_ / ROW) - 1)
    const much = event.ctrlKey || event.metaKey
    if (much && event.key.toLowerCase() === 'c') return event.preventDefault(), props.onCopy()
    if (much && event.key.toLowerCase() === 'a') return event.preventDefault(), onSelect({ row: 0, column: 0, toRow: rows - 1, toColumn: columns.length - 1 })
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      if (toRow < 0) document.getElementById(headId(columns[toColumn]!.at))?.querySelector('button')?.click()
      else if (columns[toColumn]) props.onDetail(toRow, columns[toColumn].at)
      return
    }
    const next = {
      ArrowUp: [much ? 0 : toRow - 1, toColumn], ArrowDown: [much ? rows - 1 : toRow + 1, toColumn],
      ArrowLeft: [toRow, much ? 0 : toColumn - 1], ArrowRight: [toRow, much ? columns.length - 1 : toColumn + 1],
      PageUp: [Math.max(0, toRow - page), toColumn], PageDown: [toRow + page, toColumn],
      Home: [much ? 0 : toRow, 0], End: [much ? rows - 1 : toRow, columns.length - 1],
    }[event.key]
    if (next === undefined || event.altKey) return
    event.preventDefault()
    const row = Math.min(rows - 1, Math.max(-1, next[0]!))
    const column = Math.min(columns.length - 1, Math.max(0, next[1]!))
    onSelect(event.shiftKey ? { ...selection, toRow: Math.max(0, row), toColumn: column } : { row, column, toRow: row, toColumn: column })
    show(row, column)
  }
  const dragging = useRef(false)
  const placeOf = (event: PointerEvent): readonly [number, number] | null => {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
    return cell ? [Number(cell.dataset.row), Number(cell.dataset.column)] : null
  }
  const press = (event: PointerEvent) => {
    const at = event.button === 0 ? placeOf(event) : null
    if (!at) return
    dragging.current = true
    onSelect(event.shiftKey ? { ...selection, toRow: at[0], toColumn: at[1] } : { row: at[0], column: at[1], toRow: at[0], toColumn: at[1] })
  }
  const drag = (event: PointerEvent) => {
    const at = dragging.current && event.buttons === 1 ? placeOf(event) : null
    if (at && (at[0] !== selection.toRow || at[1] !== selection.toColumn)) onSelect({ ...selection, toRow: at[0], toColumn: at[1] })
  }
  const top = Math.min(selection.row, selection.toRow)
  const bottom = Math.max(selection.row, selection.toRow)
  const begin = Math.min(selection.column, selection.toColumn)
  const end = Math.max(selection.column, selection.toColumn)
  const spacer = first > 0 ? ends[first - 1]! : 0
  const total = pinnedWidth + (ends.at(-1) ?? 0)
  return (
    <div
      ref={box} className="grid" role="grid" tabIndex={0} aria-label={t('Table')} aria-multiselectable aria-rowcount={rows + 1} aria-colcount={columns.length + 1}
      aria-activedescendant={selection.toRow < 0 ? headId(columns[selection.toColumn]?.at ?? 0) : cellId(selection.toRow, selection.toColumn)}
      onScroll={scroll} onKeyDown={key} onPointerDown={press} onPointerMove={drag} onPointerUp={() => (dragging.current = false)}
      onDoubleClick={(event) => {
        const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
        const column = columns[Number(cell?.dataset.column)]
        if (cell && column) props.onDetail(Number(cell.dataset.row), column.at)
      }}
    >
      <div role="presentation" className="grid-size" style={{ width: total, height: boxHeight(rows) + HEAD }}>
        <div role="row" aria-rowindex={1} className="grid-head">
          <div role="columnheader" aria-colindex={1} className="grid-corner" style={{ width: indexWidth }}>
            {table.index.length > 0 ? table.index.map((name, at) => <span key={at}>{name}</span>) : <span className="visually-hidden">{t('Row')}</span>}
          </div>
          {shownColumns.map(({ one, at }, nth) => (
            <Head key={one.at} {...props} one={one} at={at} items={menu(one)} active={selection.toRow < 0 && selection.toColumn === at} chosen={selection.toRow >= 0 && begin <= at && at <= end}
              left={one.pinned ? indexWidth + pinned.slice(0, at).reduce((sum, { width }) => sum + width, 0) : undefined} space={nth === pinned.length ? spacer : 0} />
          ))}
        </div>
        {Array.from({ length: Math.max(0, to - from) }, (_, nth) => {
          const row = from + nth
          const names = blocks.names(row)
          return (
            <div role="row" key={row} aria-rowindex={row + 2} className={classes('grid-row', row % 2 === 1 && 'grid-odd')} style={{ top: HEAD + row * ROW - place.current.base, width: total }}>
              <div role="rowheader" aria-colindex={1} className="grid-index" style={{ width: indexWidth }}>
                {names ? names.map((name, at) => <span key={at} title={name}>{name}</span>) : <span>…</span>}
              </div>
              {shownColumns.map(({ one, at }, place_) => (
                <One key={one.at} row={row} at={at} kind={one.column.kind} cell={blocks.cell(row, one.at)} width={one.width}
                  left={one.pinned ? indexWidth + pinned.slice(0, at).reduce((sum, { width }) => sum + width, 0) : undefined} space={place_ === pinned.length ? spacer : 0}
                  chosen={top <= row && row <= bottom && begin <= at && at <= end} active={row === selection.toRow && at === selection.toColumn} />
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}

export const headId = (at: number) => `grid-head-${at}`
const cellId = (row: number, column: number) => `grid-cell-${row}-${column}`

interface HeadProps extends GridProps {
  readonly one: ShownColumn
  readonly at: number
  readonly items: readonly MenuEntry[]
  readonly active: boolean
  readonly chosen: boolean
  readonly left: number | undefined
  readonly space: number
}

function Head({ one, at, items, active, chosen, left, space, looked, onSort, onWidth }: HeadProps) {
  const held = useRef<{ readonly x: number; readonly width: number } | null>(null)
  const sorts = looked.view.sort
  const sort = sorts.findIndex(({ column }) => column === one.at)
  const filtered = looked.view.filters.some(({ column }) => column === one.at)
  const { name, type, kind } = one.column
  return (
    <div
      role="columnheader" id={headId(one.at)} aria-colindex={at + 2} aria-sort={sort < 0 ? 'none' : sorts[sort]!.descending ? 'descending' : 'ascending'}
      className={classes('grid-th', kind === 'number' && 'grid-number', left !== undefined && 'grid-pinned', active && 'grid-active', chosen && 'grid-chosen')}
      style={{ width: one.width, left, marginLeft: space }}
    >
      <span className="grid-name" title={`${name}\n${type}`} onClick={(event) => onSort(one.at, event.shiftKey)}>
        <span className="grid-label">
          <b>{name}</b>
          {sort >= 0 && (sorts[sort]!.descending ? <ArrowDown size={13} aria-hidden /> : <ArrowUp size={13} aria-hidden />)}
          {sort >= 0 && sorts.length > 1 && <i>{sort + 1}</i>}
          {filtered && <ListFilter size={13} aria-label={t('filtered')} />}
        </span>
        <small>{type}</small>
      </span>
      <Menu align="end" items={items} trigger={<button type="button" tabIndex={-1} className="grid-menu" aria-label={t('Column {name}', { name })}><ChevronDown size={15} aria-hidden /></button>} />
      <span
        className="grid-edge" aria-hidden
        onPointerDown={(event) => {
          event.preventDefault()
          event.currentTarget.setPointerCapture(event.pointerId)
          held.current = { x: event.clientX, width: one.width }
        }}
        onPointerMove={(event) => held.current && onWidth(one.at, Math.max(WIDTH_MIN, Math.round(held.current.width + event.clientX - held.current.x)))}
        onPointerUp={() => (held.current = null)}
      />
    </div>
  )
}

interface OneProps {
  readonly row: number
  readonly at: number
  readonly kind: Column['kind']
  readonly cell: Cell | undefined
  readonly width: number
  readonly left: number | undefined
  readonly space: number
  readonly chosen: boolean
  readonly active: boolean
}

const same = (one: Cell | undefined, other: Cell | undefined) => one === other || (isCut(one) && isCut(other) && one[0] === other[0])

const One = memo(
  function One({ row, at, kind, cell, width, left, space, chosen, active }: OneProps) {
    const words = cell === undefined ? null : wordsOf(cell)
    const missing = cell === null
    const odd = kind === 'number' && words !== null && /^(?:nan|-?inf)$/i.test(words)
    return (
      <div
        role="gridcell" id={cellId(row, at)} aria-colindex={at + 2} aria-selected={chosen} data-row={row} data-column={at} style={{ width, left, marginLeft: space }}
        className={classes('grid-td', kind === 'number' && 'grid-number', left !== undefined && 'grid-pinned', chosen && 'grid-chosen', active && 'grid-active', (missing || odd) && 'grid-null')}
        title={words !== null && words.length > 12 ? `${words}${isCut(cell) ? `… (${t('{count} characters', { count: number(cell[1]) })})` : ''}` : undefined}
      >
        {missing ? 'null' : cell === undefined ? '' : `${shownCell(cell, kind)}${isCut(cell) ? '…' : ''}`}
      </div>
    )
  },
  (before, now) => (Object.keys(now) as (keyof OneProps)[]).every((name) => (name === 'cell' ? same(before.cell, now.cell) : before[name] === now[name])),
)
