/** The code that ran, as it was when it ran, at the left of the cells: the latest first. */
import { ArrowUpRight, Copy, History, TextCursorInput, X } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type Executed, type ExecutedPage, looking } from '../../api/looking'
import { at as written, decimals } from '../../i18n/formats'
import { t } from '../../i18n'
import { useArrival } from '../arrival'
import { Button, EmptyState, IconButton, notify, notifyError, Spinner } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import { SourceText } from '../SourceText'
import { useChrome, useDesk, useOrder, useSession } from '../notebook/hooks'
import './executed.css'

const WIDTH = { first: 340, min: 260, max: 720 } as const
const NARROW = 900
const TYPING_MS = 300
/** How many of a page the server gives. */
const PAGE = 50

export default function ExecutedPanel() {
  const desk = useDesk()
  const shown = useChrome((chrome) => chrome.side === 'executed')
  const close = () => desk.chrome.setState({ side: null })
  const panel = useArrival(shown, close)
  const [width, setWidth] = useKeptSize('executed', WIDTH.first)
  const wide = useWindowSize().width > NARROW
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-left executed" aria-label={t('Executed code')} data-keys="own" hidden={!shown} style={wide ? { width: Math.min(width, WIDTH.max) } : undefined}>
      <div className="panel-head">
        <h2>{t('Executed code')}</h2>
        <IconButton label={t('Close executed code')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      {shown && <List />}
      {wide && <Splitter label={t('Width of the executed code')} edge="right" size={width} min={WIDTH.min} max={WIDTH.max} onSize={setWidth} />}
    </aside>
  )
}

function List() {
  const desk = useDesk()
  const state = useSession((session) => session.kernel?.state ?? null)
  const waiting = useSession((session) => session.queue.length)
  const [typed, setTyped] = useState('')
  const [search, setSearch] = useState('')
  const [page, setPage] = useState<ExecutedPage | null>(null)
  const [ended, setEnded] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const turn = useRef(0)
  const load = useCallback(
    async (before: number | null) => {
      const mine = ++turn.current
      try {
        const found = await looking.executed(desk.id, before, search)
        if (mine !== turn.current) return
        setPage((now) => (before === null ? found : { since: found.since, executed: [...(now?.executed ?? []), ...found.executed] }))
        setEnded(found.executed.length < PAGE)
        setTrouble(null)
      } catch (error) {
        if (mine === turn.current) setTrouble(error instanceof Error ? error.message : String(error))
      }
    },
    [desk, search],
  )
  useEffect(() => void load(null), [load, state, waiting])
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])
  const list = page?.executed ?? []
  const old = page?.since == null ? 0 : list.findIndex(({ queued_at }) => queued_at !== null && queued_at < page.since!)
  return (
    <>
      <input type="search" className="panel-filter" aria-label={t('Filter executed code')} placeholder={t('Filter')} value={typed} maxLength={200} onChange={(event) => setTyped(event.target.value)} />
      {trouble !== null && <p className="panel-note" role="alert">{trouble}</p>}
      {page === null && trouble === null && <Spinner label={t('Reading')} />}
      {page !== null && list.length === 0 && (
        <EmptyState icon={<History size={36} aria-hidden />} title={search === '' ? t('Nothing ran yet') : t('Nothing found')}>
          {search === '' ? t('Each run of a cell is kept here with its code, also when the cell is changed or deleted later.') : t('No code that ran has this in it.')}
        </EmptyState>
      )}
      <ol className="executed-list">
        {list.map((one, at) => (
          <li key={one.id}>
            {at === old && old >= 0 && (at > 0 || page?.since == null) && <h3 className="executed-before">{t('Before this session')}</h3>}
            <Entry one={one} />
          </li>
        ))}
      </ol>
      {list.length > 0 && !ended && <Button small weight="ghost" onClick={() => void load(list.at(-1)!.position)}>{t('Show more')}</Button>}
    </>
  )
}

function stateText({ state }: Executed): string {
  switch (state) {
    case 'queued': return t('waiting')
    case 'running': return t('running')
    case 'finished': return t('done')
    case 'failed': return t('failed')
    case 'cancelled': return t('cancelled')
  }
}

function took({ started_at, finished_at }: Executed): string {
  if (started_at === null || finished_at === null) return ''
  const seconds = (finished_at - started_at) / 1000
  return seconds < 60 ? t('{seconds} s', { seconds: decimals(seconds, seconds < 10 ? 2 : 1) }) : t('{minutes} min', { minutes: decimals(seconds / 60, 1) })
}

function Entry({ one }: { one: Executed }) {
  const desk = useDesk()
  const present = useOrder().includes(one.cell)
  const whole = () => (one.length > one.source.length ? looking.source(desk.id, one.id) : Promise.resolve(one.source))
  const use = (what: (source: string) => void | Promise<void>) => void whole().then(what).catch((error: unknown) => notifyError(t('The code could not be fetched'), error))
  const at = one.started_at ?? one.queued_at
  return (
    <article className={`executed-one executed-${one.state}`}>
      <header>
        <b>{one.count === null ? '[ ]' : `[${one.count}]`}</b>
        <span>{stateText(one)}</span>
        <span className="executed-who">{[one.user, at === null ? '' : written('logged', at), took(one)].filter(Boolean).join(' · ')}</span>
      </header>
      <pre tabIndex={0} aria-label={t('Code')}><SourceText text={one.source} />{one.length > one.source.length ? '\n…' : ''}</pre>
      <footer>
        {present ? <Button small weight="ghost" icon={<ArrowUpRight size={14} aria-hidden />} onClick={() => desk.goTo(one.cell)}>{t('Go to cell')}</Button> : <span>{t('The cell was deleted.')}</span>}
        <IconButton label={t('Copy code')} icon={<Copy size={15} aria-hidden />} onClick={() => use((source) => navigator.clipboard.writeText(source).then(() => notify({ title: t('Code copied') })))} />
        <IconButton label={t('Insert code as a cell')} icon={<TextCursorInput size={15} aria-hidden />} onClick={() => use((source) => desk.insert('code', desk.view.getState().focused ?? desk.outline.current().at(-1) ?? null, source))} />
      </footer>
    </article>
  )
}
