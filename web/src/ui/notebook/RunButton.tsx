/** The run button and what it tells: never run, waiting, running for so long, done or failed, when, by whom, and whether that is what stands here now. */
import { Check, Play, Square, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { reasonText } from '../../i18n/reasons'
import { sourceHash } from '../../model/hash'
import { type CellMap, textOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import type { CellRun } from '../../session/session'
import { useAccount, useIsGuest } from '../account'
import { classes } from '../kit'
import { clock, lasted } from './duration'
import { useDesk, useMay, useRun, useSession } from './hooks'
import { stop } from './running'
import { runKeys } from './runKeys'

type Look = 'fresh' | 'queued' | 'running' | 'done' | 'failed' | 'stopped'

export function RunButton({ id, cell }: { id: CellId; cell: CellMap }) {
  const desk = useDesk()
  const run = useRun(id)
  const may = useMay('run')
  const look = lookOf(run)
  const busy = look === 'running' || look === 'queued'
  const guest = useIsGuest()
  const { enter } = useAccount()
  const press = () => {
    if (!may) return guest ? enter() : desk.playground(id)
    if (busy) return stop(desk, id)
    desk.act({ do: 'focus', cell: id, editing: false })
    desk.run([id])
  }
  return (
    <>
      <button
        type="button"
        className={classes('run', `run-${look}`)}
        aria-label={busy ? t('Stop cell') : t('Run cell')}
        title={guest ? t('Sign in to run this') : describe(run, look, may)}
        onClick={press}
      >
        {busy ? <Square size={11} fill="currentColor" aria-hidden /> : <Play size={15} fill="currentColor" aria-hidden />}
      </button>
      <span className={classes('run-note', `run-note-${look}`)}>
        <Note id={id} run={run} look={look} />
      </span>
      {run?.execution.hash !== undefined && !busy && <Stale cell={cell} hash={run.execution.hash} />}
    </>
  )
}

const REST_MS = 300

/** Shown when the source is not what ran. Found out when typing rests, so that no key waits for it. */
function Stale({ cell, hash }: { cell: CellMap; hash: string }) {
  const [stale, setStale] = useState(false)
  useEffect(() => {
    const text = textOf(cell)
    let timer: ReturnType<typeof setTimeout>
    const later = () => {
      clearTimeout(timer)
      timer = setTimeout(() => setStale(sourceHash(text.toString()) !== hash), REST_MS)
    }
    later()
    text.observe(later)
    return () => {
      clearTimeout(timer)
      text.unobserve(later)
    }
  }, [cell, hash])
  return stale && (
    <span className="run-stale" title={t('Edited since it ran: the output is that of another text')}>
      {t('edited')} <span className="visually-hidden">{t('since it ran')}</span>
    </span>
  )
}

function Note({ id, run, look }: { id: CellId; run: CellRun | undefined; look: Look }) {
  if (!run) return '[ ]'
  const { count, started_at, finished_at } = run.execution
  const took = started_at !== null && finished_at !== null ? lasted(finished_at - started_at) : null
  switch (look) {
    case 'running':
      return <Elapsed since={run.startedHere ?? Date.now()} />
    case 'queued':
      return <Place id={id} />
    case 'done':
    case 'failed':
      return (
        <>
          <span className="run-count">[{count ?? ' '}]</span>
          {took !== null && (
            <span className="run-took">
              {look === 'done' ? <Check size={11} strokeWidth={3} aria-label={t('done in')} /> : <X size={11} strokeWidth={3} aria-label={t('failed after')} />}
              {took}
            </span>
          )}
        </>
      )
    default:
      return `[${count ?? ' '}]`
  }
}

/** Which one of those that wait it is. */
function Place({ id }: { id: CellId }) {
  const desk = useDesk()
  const at = useSession(({ queue }) => queue.filter(({ cell }) => desk.session.run(cell)?.execution.state === 'queued').findIndex(({ cell }) => cell === id))
  return (
    <>
      <span>[*]</span>
      {at >= 0 && <span title={t('Its place among those that wait')}>{t('no. {place}', { place: at + 1 })}</span>}
    </>
  )
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return lasted(Math.max(0, Math.floor((now - since) / 1000) * 1000))
}

function lookOf(run: CellRun | undefined): Look {
  switch (run?.execution.state) {
    case 'queued':
      return 'queued'
    case 'running':
      return 'running'
    case 'finished':
      return 'done'
    case 'failed':
      return 'failed'
    case 'cancelled':
      return 'stopped'
    default:
      return 'fresh'
  }
}

function describe(run: CellRun | undefined, look: Look, may: boolean): string {
  if (!may) return t('Run this in a playground of your own')
  const { execution } = run ?? {}
  const name = execution?.user?.name
  const time = execution?.finished_at ? clock(execution.finished_at) : null
  switch (look) {
    case 'queued':
      return name === undefined ? t('Waits for its turn. Press to take it back') : t('Waits for its turn, asked by {name}. Press to take it back', { name })
    case 'running':
      return name === undefined ? t('Runs. Press to stop') : t('Runs, asked by {name}. Press to stop', { name })
    case 'done':
    case 'failed':
      return `${[look === 'done' ? t('Ran') : t('Failed'), name === undefined ? null : t('by {name}', { name }), time === null ? null : t('at {time}', { time })].filter(Boolean).join(' ')}. ${t('Press to run again')}`
    case 'stopped': {
      const reason = reasonText(execution ?? {})
      return reason ? t('Stopped: {reason}. Press to run', { reason }) : t('Stopped. Press to run')
    }
    case 'fresh': {
      const keys = runKeys()
      return keys === undefined ? t('Not run yet. Press to run') : t('Not run yet. Press to run ({keys})', { keys })
    }
  }
}
