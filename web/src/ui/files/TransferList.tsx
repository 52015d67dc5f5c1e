/** What is being uploaded: each file, how far it has come, and a way to stop it. */
import { CircleAlert, CircleCheck, RotateCcw, WifiOff, X } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { t, tn } from '../../i18n'
import { sizeText } from '../../model/usage'
import { IconButton, ProgressBar } from '../kit'
import { shown } from './paths'
import { open, type Transfer, type Transfers } from './transfer'

const SHOWN_MAX = 50

function heading(list: readonly Transfer[]): string {
  const going = list.filter(open).length
  const failed = list.filter(({ state }) => state === 'failed').length
  if (list.some(({ state }) => state === 'paused')) return t('Waiting for the connection')
  if (going > 0) return tn('Uploading {count} file', 'Uploading {count} files', going)
  return failed > 0 ? tn('{count} upload failed', '{count} uploads failed', failed) : t('Uploads complete')
}

function Status({ one }: { one: Transfer }) {
  switch (one.state) {
    case 'waiting':
    case 'sending':
    case 'paused':
      return <ProgressBar label={t('Uploading {shown}', { shown: shown(one.name) })} value={one.size === 0 ? 0 : one.sent / one.size} />
    case 'failed':
      return <span className="transfer-error">{one.error}</span>
    case 'cancelled':
      return <span>{t('Cancelled')}</span>
    case 'done':
      return <span>{sizeText(one.size)}</span>
  }
}

function Line({ one, transfers }: { one: Transfer; transfers: Transfers }) {
  const name = shown(one.name)
  return (
    <li className={`transfer transfer-${one.state}`}>
      <div className="transfer-words">
        <span className="transfer-name" title={name}>
          {name}
        </span>
        <div className="transfer-status">
          <Status one={one} />
        </div>
      </div>
      {one.state === 'done' && <CircleCheck size={18} aria-label={t('Done')} className="transfer-done-icon" />}
      {one.state === 'failed' && <CircleAlert size={18} aria-hidden className="transfer-failed-icon" />}
      {one.state === 'paused' && <WifiOff size={16} aria-label={t('Waiting for the connection')} />}
      {(one.state === 'failed' || one.state === 'cancelled') && <IconButton label={t('Try {name} again', { name })} icon={<RotateCcw size={16} aria-hidden />} onClick={() => transfers.retry(one.key)} />}
      {open(one) && <IconButton label={t('Cancel {name}', { name })} icon={<X size={16} aria-hidden />} onClick={() => transfers.cancel(one.key)} />}
    </li>
  )
}

export function TransferList({ transfers }: { transfers: Transfers }) {
  const list = useSyncExternalStore(transfers.subscribe, transfers.snapshot)
  if (list.length === 0) return null
  // What goes on and what went wrong comes before what is done.
  const ordered = [...list.filter((one) => one.state !== 'done' && one.state !== 'waiting'), ...list.filter(({ state }) => state === 'waiting'), ...list.filter(({ state }) => state === 'done')]
  return (
    <section className="transfers" aria-label={t('Uploads')}>
      <header>
        <h3>
          <span role="status">{heading(list)}</span>
        </h3>
        {list.some((one) => !open(one)) && <IconButton label={t('Clear finished uploads')} icon={<X size={16} aria-hidden />} onClick={() => transfers.clear()} />}
      </header>
      <ul>
        {ordered.slice(0, SHOWN_MAX).map((one) => (
          <Line key={one.key} one={one} transfers={transfers} />
        ))}
      </ul>
      {list.length > SHOWN_MAX && <p className="transfers-more">{t('and {count} more', { count: list.length - SHOWN_MAX })}</p>}
    </section>
  )
}
