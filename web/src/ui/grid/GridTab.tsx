/** A table of the kernel beside the cells: sorted, filtered and searched there, and shown here a window at a time. */
import { ChartColumn, Columns3, Copy, Download, Maximize2, Minimize2, RefreshCw, X } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ApiError } from '../../api/client'
import { type Filter, looking, type Looked, type Sort, type Table, type View } from '../../api/looking'
import { number } from '../../i18n/formats'
import { t, tn } from '../../i18n'
import { useArrival } from '../arrival'
import { Button, Hint, IconButton, Menu, type MenuEntry, notify, notifyError, Spinner } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import type { TableWanted } from '../notebook/desk'
import { useChrome, useDesk, useMay, useSession } from '../notebook/hooks'
import type { Found } from './blocks'
import { ChartThis } from './ChartThis'
import { ColumnPanel } from './ColumnPanel'
import { copiedCells, type Format, wordsOf } from './formats'
import './grid.css'
import { Grid, type Selection, type ShownColumn } from './Grid'

const WIDTH_MIN = 300
const CELLS_MIN = 448
const NARROW = 900
const COPIED_MAX = 50_000
const NO_VIEW: View = { sort: [], filters: [], search: '' }
const TYPING_MS = 300

export default function GridTab() {
  const desk = useDesk()
  const wanted = useChrome((chrome) => chrome.table)
  const covered = useChrome((chrome) => chrome.file !== null)
  const [width, setWidth] = useKeptSize('table', 0)
  const [full, setFull] = useState(false)
  const window_ = useWindowSize()
  const wide = window_.width > NARROW && !full
  const most = Math.max(WIDTH_MIN, window_.width - CELLS_MIN)
  const size = width === 0 ? Math.round(window_.width * 0.5) : width
  const close = () => desk.chrome.setState({ table: null })
  const panel = useArrival(wanted !== null && !covered, () => (full ? setFull(false) : close()))
  if (wanted === null) return null
  return (
    <section ref={panel} tabIndex={-1} className={full ? 'gridtab gridtab-full' : 'gridtab'} aria-label={t('Table')} data-keys="own" hidden={covered} style={wide ? { width: Math.min(size, most) } : undefined}>
      {wide && <Splitter label={t('Width of the table')} edge="left" size={size} min={WIDTH_MIN} max={most} onSize={setWidth} />}
      <Opened key={`${wanted.variable ?? ''} ${wanted.ref ?? ''} ${wanted.asked}`} wanted={wanted} full={full} onFull={() => setFull(!full)} onClose={close} />
    </section>
  )
}

interface OpenedProps {
  readonly wanted: TableWanted
  readonly full: boolean
  readonly onFull: () => void
  readonly onClose: () => void
}

function Opened({ wanted, full, onFull, onClose }: OpenedProps) {
  const desk = useDesk()
  const [table, setTable] = useState<Table | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let here = true
    const name = turn > 0 ? (table?.variable ?? wanted.variable) : wanted.variable
    looking.open(desk.id, name != null ? { variable: name } : { ref: wanted.ref! }).then(
      (found) => here && (setTable(found), setError(null)),
      (cause: unknown) => here && setError(saidOf(cause)),
    )
    return () => {
      here = false
    }
    // Opened again when it is asked for, by the name that it had.
  }, [desk, wanted, turn])
  const again = useCallback(() => setTurn((now) => now + 1), [])
  const bar = (
    <>
      <IconButton label={full ? t('Leave full screen') : t('Full screen')} icon={full ? <Minimize2 size={16} aria-hidden /> : <Maximize2 size={16} aria-hidden />} onClick={onFull} />
      <IconButton label={t('Close table')} icon={<X size={16} aria-hidden />} onClick={onClose} />
    </>
  )
  if (table === null)
    return (
      <>
        <div className="grid-tools">
          <h2>{wanted.variable ?? t('Table')}</h2>
          {bar}
        </div>
        <div className="grid-state">{error === null ? <Spinner label={t('Opening the table')} large /> : <><p role="alert">{error}</p><Button onClick={again}>{t('Try again')}</Button></>}</div>
      </>
    )
  return <TableView key={`${table.ref} ${table.mark}`} table={table} trouble={error} bar={bar} onAgain={again} />
}

function saidOf(cause: unknown): string {
  if (cause instanceof ApiError && cause.code === 'table_gone') return t('The kernel does not have this table any more. Run the cell again, then open it.')
  return cause instanceof Error ? cause.message : String(cause)
}

/** Whether the table is still what its variable means. */
function useStale(table: Table): 'changed' | 'gone' | 'kernel' | null {
  const desk = useDesk()
  const kernel = useSession((session) => session.kernel?.id ?? null)
  const state = useSession((session) => session.kernel?.state ?? null)
  const [stale, setStale] = useState<'changed' | 'gone' | 'kernel' | null>(null)
  const first = useRef(kernel)
  const lost = kernel !== first.current || state === null || state === 'dead' || state === 'restarting'
  useEffect(() => {
    if (lost) return setStale('kernel')
    if (state !== 'idle' || stale === 'kernel') return
    let here = true
    looking.mark(desk.id, table.ref).then(
      ({ alive, named, present, mark }) => here && setStale(!alive && !named ? 'gone' : !alive || !present || (mark !== '' && mark !== table.mark) ? 'changed' : null),
      // The next run asks again; until then what is shown is as old as it was.
      () => undefined,
    )
    return () => {
      here = false
    }
  }, [desk, table, state, lost, stale])
  return stale
}

const widthOf = ({ name, type, kind }: Table['columns'][number]) => Math.min(260, Math.max(kind === 'text' ? 140 : 104, Math.max(name.length * 8, type.length * 6.5) + 44))

function TableView({ table, trouble, bar, onAgain }: { table: Table; trouble: string | null; bar: React.ReactNode; onAgain: () => void }) {
  const desk = useDesk()
  const may = useMay('write')
  const stale = useStale(table)
  const [view, setView] = useState(NO_VIEW)
  const [typed, setTyped] = useState('')
  const [found, setFound] = useState<Found | null>(null)
  /** The view that was shown last, to which one returns when another takes too long. */
  const shown = useRef({ view: NO_VIEW, found: null as Found | null })
  const [failure, setFailure] = useState<string | null>(null)
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set())
  const [pinned, setPinned] = useState<readonly number[]>([])
  const [widths, setWidths] = useState<ReadonlyMap<number, number>>(new Map())
  const [panel, setPanel] = useState<number | null>(null)
  const [charting, setCharting] = useState(false)
  const [detail, setDetail] = useState<{ readonly name: string; readonly words: string } | null>(null)
  const [selection, setSelection] = useState<Selection>({ row: 0, column: 0, toRow: 0, toColumn: 0 })
  const looked = useMemo<Looked>(() => ({ ref: table.ref, mark: table.mark, view }), [table, view])
  const columns = useMemo<readonly ShownColumn[]>(() => {
    const one = (at: number): ShownColumn => ({ at, column: table.columns[at]!, width: widths.get(at) ?? widthOf(table.columns[at]!), pinned: pinned.includes(at) })
    return [...pinned.filter((at) => !hidden.has(at)), ...[...table.columns.keys()].filter((at) => !hidden.has(at) && !pinned.includes(at))].map(one)
  }, [table, hidden, pinned, widths])
  const onFailed = useCallback((cause: unknown) => setFailure(saidOf(cause)), [])
  const onFound = useCallback(
    (now: Found) => {
      shown.current = { view, found: now }
      setFound(now)
    },
    [view],
  )
  const stop = () => {
    const { view: before, found: then } = shown.current
    setView(before)
    setTyped(before.search)
    setFound(then)
  }
  const change = useCallback((next: Partial<View>) => {
    setView((now) => ({ ...now, ...next }))
    setFound(null)
    setFailure(null)
  }, [])
  useEffect(() => {
    if (typed === view.search) return
    const timer = setTimeout(() => change({ search: typed }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed, view.search, change])

  const plain = view.sort.length === 0 && view.filters.length === 0 && view.search === ''
  const rows = plain ? table.rows : (found?.total ?? Math.min(table.rows, 1))
  const onSort = (at: number, add: boolean) => {
    const mine = view.sort.find(({ column }) => column === at)
    const next: Sort[] = mine === undefined ? [{ column: at, descending: false }] : mine.descending ? [] : [{ column: at, descending: true }]
    change({ sort: add ? [...view.sort.filter(({ column }) => column !== at), ...next].slice(0, 8) : next })
  }
  const onFilter = (at: number, filter: Filter | null) => change({ filters: [...view.filters.filter(({ column }) => column !== at), ...(filter ? [filter] : [])] })
  const menu = ({ at, pinned: fixed }: ShownColumn): readonly MenuEntry[] => [
    { label: t('Sort ascending'), onSelect: () => change({ sort: [{ column: at, descending: false }] }) },
    { label: t('Sort descending'), onSelect: () => change({ sort: [{ column: at, descending: true }] }) },
    { label: t('Then sort by this'), disabled: view.sort.length === 0, onSelect: () => change({ sort: [...view.sort.filter(({ column }) => column !== at), { column: at, descending: false }].slice(0, 8) }) },
    'separator',
    { label: t('Filter and statistics'), onSelect: () => setPanel(at) },
    'separator',
    { label: fixed ? t('Unpin column') : t('Pin column'), onSelect: () => setPinned(fixed ? pinned.filter((one) => one !== at) : [...pinned, at]) },
    { label: t('Hide column'), disabled: columns.length < 2, onSelect: () => setHidden(new Set(hidden).add(at)) },
  ]
  const copy = async (format: Format) => {
    const [top, bottom] = [Math.max(0, Math.min(selection.row, selection.toRow)), Math.max(selection.row, selection.toRow)]
    const chosen = columns.slice(Math.min(selection.column, selection.toColumn), Math.max(selection.column, selection.toColumn) + 1)
    const limit = Math.min(bottom - top + 1, Math.max(1, Math.floor(COPIED_MAX / Math.max(1, chosen.length))))
    try {
      const text = copiedCells(chosen.map(({ column }) => column), await fetched(desk.id, looked, chosen.map(({ at }) => at), top, limit), format)
      await navigator.clipboard.writeText(text)
      notify({ title: limit < bottom - top + 1 ? t('The first {count} rows were copied', { count: number(limit) }) : tn('{count} row copied', '{count} rows copied', limit), kind: 'good' })
    } catch (cause) {
      notifyError(t('Nothing was copied'), cause)
    }
  }
  const showDetail = (row: number, at: number) => {
    looking.rows(desk.id, looked, { columns: [at], offset: row, limit: 1, long: true }).then(
      ({ cells }) => setDetail({ name: table.columns[at]!.name, words: wordsOf(cells[0]?.[0] ?? null) ?? 'null' }),
      (cause: unknown) => notifyError(t('The cell could not be read'), cause),
    )
  }
  const many = Math.abs(selection.toColumn - selection.column) > 0
  const chosen = many ? columns.slice(Math.min(selection.column, selection.toColumn), Math.max(selection.column, selection.toColumn) + 1).map(({ at }) => at) : []
  const name = table.variable ?? t('Table')
  const file = (format: 'csv' | 'parquet') => looking.file(desk.id, looked, format, table.variable ?? 'table')
  return (
    <>
      <div className="grid-tools">
        <h2 title={table.kind}>{name}</h2>
        <span className="grid-shape" role="status">
          {plain ? tn('{count} row', '{count} rows', table.rows) : found === null ? (view.filters.length === 0 && view.search === '' ? t('Sorting…') : t('Searching…')) : t('{some} of {count} rows', { some: number(found.total), count: number(table.rows) })}
          {' × '}
          {tn('{count} column', '{count} columns', table.columns_total)}
        </span>
        {!plain && found === null && failure === null && <Button small weight="ghost" onClick={stop}>{t('Stop')}</Button>}
        <input type="search" className="grid-search" aria-label={t('Search the table')} placeholder={t('Search')} value={typed} maxLength={500} onChange={(event) => setTyped(event.target.value)} />
        <IconButton label={t('Chart this')} icon={<ChartColumn size={16} aria-hidden />} disabled={!may} onClick={() => setCharting(true)} />
        <Menu align="end" trigger={<button type="button" className="icon-button" aria-label={t('Copy selection')} title={t('Copy selection')}><Copy size={16} aria-hidden /></button>}
          items={[{ label: t('Copy as CSV'), onSelect: () => void copy('csv') }, { label: t('Copy as TSV'), shortcut: 'Ctrl+C', onSelect: () => void copy('tsv') }, { label: t('Copy as Markdown'), onSelect: () => void copy('markdown') }]} />
        <Menu align="end" trigger={<button type="button" className="icon-button" aria-label={t('Download')} title={t('Download')}><Download size={16} aria-hidden /></button>}
          items={[{ label: 'CSV', onSelect: () => save(file('csv')) }, ...(table.libraries.includes('pyarrow') ? [{ label: 'Parquet', onSelect: () => save(file('parquet')) }] : [])]} />
        <Menu align="end" trigger={<button type="button" className="icon-button" aria-label={t('Columns')} title={t('Columns')}><Columns3 size={16} aria-hidden /></button>}
          items={[{ label: t('Show all columns'), disabled: hidden.size === 0, onSelect: () => setHidden(new Set()) }, 'separator', ...table.columns.slice(0, 100).map((column, at): MenuEntry => ({ label: column.name, checked: !hidden.has(at), onSelect: () => setHidden((now) => toggled(now, at)) }))]} />
        <Hint text={t('Refresh')}><button type="button" className="icon-button" aria-label={t('Refresh')} onClick={onAgain}><RefreshCw size={16} aria-hidden /></button></Hint>
        {bar}
      </div>
      {stale !== null && (
        <p className="grid-note" role="status">
          {stale === 'kernel' ? t('The kernel that held this table is gone.') : stale === 'gone' ? t('The variable was deleted.') : t('The variable has changed since.')}
          {stale === 'changed' && <Button small weight="soft" onClick={onAgain}>{t('Refresh')}</Button>}
        </p>
      )}
      {(failure ?? trouble) !== null && <p className="grid-note" role="alert">{failure ?? trouble}</p>}
      {table.cut && <p className="grid-note">{t('Only the first {count} rows are shown here.', { count: number(table.rows) })}</p>}
      {table.columns_total > table.columns.length && <p className="grid-note">{t('Only the first {count} columns are shown here.', { count: number(table.columns.length) })}</p>}
      {found?.partial === true && <p className="grid-note">{t('Not every row was searched: there are too many.')}</p>}
      {view.filters.length > 0 && (
        <div className="grid-chips">
          {view.filters.map((filter) => (
            <button key={filter.column} type="button" className="grid-chip" onClick={() => onFilter(filter.column, null)}>
              {table.columns[filter.column]!.name} {wordsFor(filter)} <X size={13} aria-hidden />
              <span className="visually-hidden">{t('Remove this filter')}</span>
            </button>
          ))}
        </div>
      )}
      <div className="grid-body">
        {columns.length === 0 || table.rows === 0 ? (
          <p className="grid-state">{t('The table is empty.')}</p>
        ) : (
          <Grid notebook={desk.id} table={table} looked={looked} columns={columns} rows={rows} selection={selection} onSelect={setSelection} onFound={onFound} onFailed={onFailed} onSort={onSort}
            onWidth={(at, width) => setWidths((now) => new Map(now).set(at, width))} onCopy={() => void copy('tsv')} onDetail={showDetail} menu={menu} />
        )}
        {panel !== null && table.columns[panel] && <ColumnPanel notebook={desk.id} looked={looked} at={panel} column={table.columns[panel]} onFilter={(filter) => onFilter(panel, filter)} onClose={() => setPanel(null)} />}
      </div>
      {detail && (
        <div className="grid-detail" role="region" aria-label={t('Cell of {name}', { name: detail.name })}>
          <div className="panel-head">
            <h3>{detail.name}</h3>
            <IconButton label={t('Close cell')} icon={<X size={16} aria-hidden />} onClick={() => setDetail(null)} />
          </div>
          <pre tabIndex={0}>{detail.words}</pre>
        </div>
      )}
      {charting && (
        <ChartThis
          notebook={desk.id} table={table} chosen={chosen} onClose={() => setCharting(false)}
          onChoose={({ code }) => {
            setCharting(false)
            desk.insert('code', desk.view.getState().focused ?? desk.outline.current().at(-1) ?? null, code)
          }}
        />
      )}
    </>
  )
}

function toggled(now: ReadonlySet<number>, at: number): ReadonlySet<number> {
  const next = new Set(now)
  if (!next.delete(at)) next.add(at)
  return next
}

function wordsFor({ op, text, from, to }: Filter): string {
  switch (op) {
    case 'null': return t('is missing')
    case 'not_null': return t('is not missing')
    case 'contains': return t('contains “{text}”', { text: text ?? '' })
    case 'equals': return `= ${text ?? ''}`
    case 'between': return `${from ?? '…'} – ${to ?? '…'}`
  }
}

/** In pieces, since one answer is bounded. */
async function fetched(notebook: string, looked: Looked, columns: readonly number[], offset: number, limit: number): Promise<(string | null)[][]> {
  const lines: (string | null)[][] = []
  for (let row = offset; row < offset + limit; ) {
    const parts = await Promise.all(chunked(columns, 60).map((some) => looking.rows(notebook, looked, { columns: some, offset: row, limit: Math.min(100, offset + limit - row) })))
    const count = parts[0]?.names.length ?? 0
    if (count === 0) break
    for (let at = 0; at < count; at++) lines.push(parts.flatMap(({ cells }) => cells.map((column) => wordsOf(column[at] ?? null))))
    row += count
  }
  return lines
}

const chunked = (all: readonly number[], most: number): readonly (readonly number[])[] => Array.from({ length: Math.ceil(all.length / most) }, (_, at) => all.slice(at * most, (at + 1) * most))

function save(address: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = ''
  link.click()
}
