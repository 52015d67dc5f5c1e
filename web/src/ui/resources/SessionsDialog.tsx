/** All runtimes of a person: what runs in each, what it uses, and how to end it. */
import './resources.css'
import { Server } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'wouter'
import { t } from '../../i18n'
import { ago, ordinal } from '../../i18n/moments'
import { runtimes, type SessionShown } from '../../api/runtimes'
import { kernelLabel } from '../../model/runtimes'
import { ofText, sizeText, spanText } from '../../model/usage'
import type { NotebookId } from '../../model/wire'
import { Button, ConfirmDialog, Dialog, EmptyState, notifyError, Spinner } from '../kit'
import { Bar } from './Bar'
import { useAsked } from './useAsked'

const EVERY_MS = 3000

export interface SessionsDialogProps {
  readonly open: boolean
  readonly onClose: () => void
  /** The notebook that the person is looking at. */
  readonly here?: NotebookId
}

export default function SessionsDialog({ open, onClose, here }: SessionsDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={t('Manage sessions')} wide>
      {open && <List here={here ?? null} onClose={onClose} />}
    </Dialog>
  )
}

function List({ here, onClose }: { here: NotebookId | null; onClose: () => void }) {
  const { value: sessions, error, again } = useAsked(runtimes.sessions, EVERY_MS)
  const [ending, setEnding] = useState<readonly SessionShown[]>([])
  const [asking, setAsking] = useState(false)
  const ask = (these: readonly SessionShown[]) => {
    setEnding(these)
    setAsking(true)
  }
  const end = async () => {
    const ends = await Promise.allSettled(ending.map(({ runtime }) => runtimes.end(runtime.id)))
    const failed = ends.find((one) => one.status === 'rejected')
    if (failed) notifyError(t('A runtime could not be ended'), failed.reason)
    again()
  }
  if (sessions === undefined) return error === undefined ? <div className="sessions-wait"><Spinner large label={t('Loading')} /></div> : <p className="field-error" role="alert">{error}</p>
  const others = sessions.filter(({ notebook }) => here === null || notebook?.id !== here)
  return (
    <>
      {error !== undefined && <p className="field-error" role="alert">{error}</p>}
      {sessions.length === 0 ? (
        <EmptyState icon={<Server size={36} aria-hidden />} title={t('No active sessions')}>{t('When you run a notebook, its runtime appears here until it is given back.')}</EmptyState>
      ) : (
        <ul className="sessions" aria-label={t('Sessions')}>
          {sessions.map((session) => (
            <Row key={session.runtime.id} session={session} here={here !== null && session.notebook?.id === here} onClose={onClose} onEnd={() => ask([session])} />
          ))}
        </ul>
      )}
      <div className="dialog-actions">
        {others.length > 1 || (others.length > 0 && others.length < sessions.length) ? (
          <Button onClick={() => ask(others)}>{others.length < sessions.length ? t('Terminate other sessions') : t('Terminate all')}</Button>
        ) : null}
        <Button weight="primary" onClick={onClose}>
          {t('Close')}
        </Button>
      </div>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={end}
        danger
        title={ending.length === 1 ? t('Terminate the session of {nameOf}?', { nameOf: nameOf(ending[0]!) }) : t('Terminate {length} sessions?', { length: ending.length })}
        description={t('Text and outputs stay in the notebook. Variables, and files in the runtime, are lost.')}
        confirm={t('Terminate')}
      />
    </>
  )
}

function Row({ session, here, onClose, onEnd }: { session: SessionShown; here: boolean; onClose: () => void; onEnd: () => void }) {
  const { runtime, notebook, kernel } = session
  const { memory_bytes = null, disk_bytes = null } = runtime.usage ?? {}
  const { memory_bytes: memory = null, disk_bytes: disk = null } = runtime.limits ?? {}
  const now = Date.now()
  const facts = [
    runtime.label ?? runtime.type,
    ...(kernel?.name ? [kernelLabel(kernel.name)] : []),
    t('started {ago}', { ago: ago(runtime.requested_at, now) }),
    ...(session.executing || now - runtime.used_at < 60_000 ? [] : [t('not used for {spanText}', { spanText: spanText(now - runtime.used_at) })]),
  ]
  return (
    <li className="session">
      <div className="session-words">
        <div className="session-name">
          {notebook === null ? <span>{t('No notebook')}</span> : <Link href={`/notebooks/${notebook.id}`} onClick={onClose}>{notebook.name}</Link>}
          {here && <span className="chip">{t('This notebook')}</span>}
          <span className={session.executing ? 'chip chip-run' : 'chip'}>{stateOf(session)}</span>
        </div>
        <div className="session-facts">{facts.join(' · ')}</div>
      </div>
      <Button small weight="outline" aria-label={t('Terminate the session of {nameOf}', { nameOf: nameOf(session) })} onClick={onEnd}>
        {t('Terminate')}
      </Button>
      <div className="session-uses">
        {memory_bytes !== null && <Bar label={t('RAM')} part={memory_bytes} whole={memory ?? memory_bytes} text={memory === null ? sizeText(memory_bytes) : ofText(memory_bytes, memory)} />}
        {disk_bytes !== null && <Bar label={t('Disk')} part={disk_bytes} whole={disk ?? disk_bytes} text={disk === null ? sizeText(disk_bytes) : ofText(disk_bytes, disk)} />}
      </div>
    </li>
  )
}

const nameOf = ({ notebook }: SessionShown) => (notebook === null ? t('no notebook') : `“${notebook.name}”`)

function stateOf({ runtime, kernel, executing }: SessionShown): string {
  if (runtime.queue) return t('Waiting, {ordinal} of {of}', { ordinal: ordinal(runtime.queue.position), of: runtime.queue.of })
  if (runtime.state === 'failed' || runtime.state === 'stopped') return t('Ended')
  if (runtime.state === 'stopping') return t('Ending')
  if (runtime.state !== 'ready') return t('Starting')
  if (executing) return t('Running')
  return kernel?.state === 'dead' ? t('Kernel ended') : t('Idle')
}
