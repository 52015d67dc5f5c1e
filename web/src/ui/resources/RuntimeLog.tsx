/** What happened to the runtime and its kernel, and what they printed outside of cells; it follows. */
import './log.css'
import { Copy, Download, ScrollText } from 'lucide-react'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { runtimes } from '../../api/runtimes'
import { at as written } from '../../i18n/formats'
import { t } from '../../i18n'
import { atLeast, entryText, followed, type Level, levelText, type LogEntry, logText } from '../../model/runtimeLog'
import { Button, EmptyState, notify, notifyError, Select, Spinner } from '../kit'
import { saveText } from '../../outputs/saveFile'
import { useDesk } from '../notebook/hooks'

const EVERY_MS = 2000
/** So near its end a list goes on with what comes. */
const NEAR_PX = 40

export default function RuntimeLog() {
  const desk = useDesk()
  const { entries, since, trouble } = useLog(desk.id)
  const [level, setLevel] = useState<Level>('info')
  const shown = atLeast(entries ?? [], level)
  const copy = () => void navigator.clipboard.writeText(logText(shown)).then(() => notify({ title: t('The log is copied') }), (error: unknown) => notifyError(t('The browser did not let us copy'), error))
  return (
    <div className="log">
      <div className="log-head">
        <Select<Level> label={t('Which entries')} value={level} onChange={setLevel} options={[{ value: 'info', label: t('Everything') }, { value: 'warning', label: t('Warnings and errors') }, { value: 'error', label: t('Errors') }]} />
        <Button small weight="ghost" icon={<Copy size={15} aria-hidden />} disabled={shown.length === 0} onClick={copy}>{t('Copy')}</Button>
        <Button small weight="ghost" icon={<Download size={15} aria-hidden />} disabled={shown.length === 0} onClick={() => saveText('runtime.log', logText(shown))}>{t('Download')}</Button>
      </div>
      {trouble !== null && <p className="field-error" role="alert">{trouble}</p>}
      {entries === null ? trouble === null && <div className="sessions-wait"><Spinner large label={t('Loading')} /></div> : <Entries entries={shown} />}
      {since !== null && <p className="log-note">{t('Kept since {moment}, while the server runs. What cells print is in their outputs.', { moment: written('moment', since) })}</p>}
    </div>
  )
}

function Entries({ entries }: { entries: readonly LogEntry[] }) {
  const list = useRef<HTMLOListElement>(null)
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (atEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight
  }, [entries])
  if (entries.length === 0) return <EmptyState icon={<ScrollText size={36} aria-hidden />} title={t('Nothing happened yet')}>{t('When a runtime starts, is interrupted, restarted or ends, it says so here.')}</EmptyState>
  const look = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: { currentTarget: HTMLElement }) => {
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX
  }
  return (
    <ol ref={list} className="log-list" tabIndex={0} aria-label={t('Entries')} onScroll={look}>
      {entries.map((entry) => (
        <li key={entry.n} className={`log-entry log-${entry.level}`}>
          <time dateTime={new Date(entry.at).toISOString()}>{written('logged', entry.at)}</time>
          <span className="log-level">{levelText(entry.level)}</span>
          <span className={entry.what === 'printed' ? 'log-text log-printed' : 'log-text'}>{entryText(entry)}</span>
        </li>
      ))}
    </ol>
  )
}

/** The log of a notebook, asked for again and again: only what is new. */
function useLog(notebook: string) {
  const [state, setState] = useState<{ readonly entries: readonly LogEntry[] | null; readonly since: number | null }>({ entries: null, since: null })
  const [trouble, setTrouble] = useState<string | null>(null)
  const have = useRef({ since: 0, last: 0 })
  const ask = useCallback(async (going: () => boolean) => {
    try {
      let { since, entries } = await runtimes.log(notebook, have.current.last)
      const anew = since !== have.current.since
      if (anew && have.current.last > 0) ({ since, entries } = await runtimes.log(notebook, 0))
      if (!going()) return
      have.current = { since, last: entries.at(-1)?.n ?? (anew ? 0 : have.current.last) }
      const came = entries as readonly LogEntry[]
      setState((now) => (anew || now.entries === null ? { since, entries: came } : came.length === 0 ? now : { since, entries: followed(now.entries, came) }))
      setTrouble(null)
    } catch (error) {
      if (going()) setTrouble(error instanceof Error ? error.message : String(error))
    }
  }, [notebook])
  useEffect(() => {
    let here = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = async () => {
      if (document.visibilityState === 'visible') await ask(() => here)
      if (here) timer = setTimeout(() => void again(), EVERY_MS)
    }
    void again()
    return () => {
      here = false
      clearTimeout(timer)
    }
  }, [ask])
  return { ...state, trouble }
}
