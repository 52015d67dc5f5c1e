/** The run button and what it tells: never run, waiting, running for so long, done or failed, when and by whom. */
import { Check, Play, Square, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { CellId } from '../../model/wire'
import type { CellRun } from '../../session/session'
import { useAccount, useIsGuest } from '../account'
import { classes } from '../kit'
import { clock, lasted } from './duration'
import { useDesk, useMay, useRun } from './hooks'

type Look = 'fresh' | 'queued' | 'running' | 'done' | 'failed' | 'stopped'

export function RunButton({ id }: { id: CellId }) {
  const desk = useDesk()
  const run = useRun(id)
  const may = useMay('run')
  const look = lookOf(run)
  const busy = look === 'running' || look === 'queued'
  const guest = useIsGuest()
  const { enter } = useAccount()
  const press = () => {
    if (!may) return guest ? enter() : desk.playground(id)
    if (busy) return desk.stop(id)
    desk.act({ do: 'focus', cell: id, editing: false })
    desk.run([id])
  }
  return (
    <>
      <button
        type="button"
        className={classes('run', `run-${look}`)}
        aria-label={busy ? 'Stop cell' : 'Run cell'}
        title={guest ? 'Sign in to run this' : describe(run, look, may)}
        onClick={press}
      >
        {busy ? <Square size={11} fill="currentColor" aria-hidden /> : <Play size={15} fill="currentColor" aria-hidden />}
      </button>
      <span className={classes('run-note', `run-note-${look}`)}>
        <Note run={run} look={look} />
      </span>
    </>
  )
}

function Note({ run, look }: { run: CellRun | undefined; look: Look }) {
  if (!run) return '[ ]'
  const { count, started_at, finished_at } = run.execution
  const took = started_at !== null && finished_at !== null ? lasted(finished_at - started_at) : null
  switch (look) {
    case 'running':
      return <Elapsed since={run.startedHere ?? Date.now()} />
    case 'queued':
      return '[*]'
    case 'done':
    case 'failed':
      return (
        <>
          <span className="run-count">[{count ?? ' '}]</span>
          {took !== null && (
            <span className="run-took">
              {look === 'done' ? <Check size={11} strokeWidth={3} aria-label="done in" /> : <X size={11} strokeWidth={3} aria-label="failed after" />}
              {took}
            </span>
          )}
        </>
      )
    default:
      return `[${count ?? ' '}]`
  }
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
  if (!may) return 'Run this in a playground of your own'
  const { execution } = run ?? {}
  const by = execution?.user ? ` by ${execution.user.name}` : ''
  switch (look) {
    case 'queued':
      return `Waits for its turn, asked${by}. Press to take it back`
    case 'running':
      return `Runs${by}. Press to stop`
    case 'done':
    case 'failed':
      return `${look === 'done' ? 'Ran' : 'Failed'}${execution?.finished_at ? ` ${clock(execution.finished_at)}` : ''}${by}. Press to run again`
    case 'stopped':
      return `Stopped${execution?.reason ? `: ${execution.reason}` : ''}. Press to run`
    case 'fresh':
      return 'Not run yet. Press to run (Ctrl+Enter)'
  }
}
