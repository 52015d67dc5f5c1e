/** The uploads in the corner: each file, how far it has come, and a way to stop it. */
import { CircleAlert, CircleCheck, RotateCcw, X } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { Link } from 'wouter'
import { t, tn } from '../../i18n'
import { IconButton, ProgressBar } from '../../ui/kit'
import { sizeText } from './listing'
import { type Uploading, uploads } from './uploads'

function heading(list: readonly Uploading[]): string {
  const open = list.filter(({ state }) => state === 'waiting' || state === 'sending').length
  const failed = list.filter(({ state }) => state === 'failed').length
  if (open > 0) return tn('Uploading {count} file', 'Uploading {count} files', open)
  return failed > 0 ? tn('{count} upload failed', '{count} uploads failed', failed) : t('Uploads complete')
}

function Status({ one }: { one: Uploading }) {
  switch (one.state) {
    case 'waiting':
    case 'sending':
      return <ProgressBar label={t('Uploading {name}', { name: one.name })} value={one.state === 'waiting' ? 0 : one.share} />
    case 'failed':
      return <span className="upload-error">{one.error}</span>
    case 'cancelled':
      return <span>{t('Cancelled')}</span>
    case 'done':
      return <span>{one.note ?? sizeText(one.size)}</span>
  }
}

function Row({ one }: { one: Uploading }) {
  const isNotebook = /\.ipynb$/i.test(one.name) || one.item !== undefined
  return (
    <li className={`upload upload-${one.state}`}>
      <div className="upload-words">
        <span className="upload-name">
          {one.item !== undefined && isNotebook && /\.ipynb$/i.test(one.name) ? <Link href={`/notebooks/${one.item}`}>{one.name}</Link> : one.name}
        </span>
        <div className="upload-status">
          <Status one={one} />
        </div>
      </div>
      {one.state === 'done' && <CircleCheck size={20} aria-label={t('Done')} className="upload-done-icon" />}
      {one.state === 'failed' && <CircleAlert size={20} aria-hidden className="upload-failed-icon" />}
      {(one.state === 'failed' || one.state === 'cancelled') && <IconButton label={t('Try {name} again', { name: one.name })} icon={<RotateCcw size={16} aria-hidden />} onClick={() => uploads.retry(one.key)} />}
      {(one.state === 'waiting' || one.state === 'sending') && <IconButton label={t('Cancel {name}', { name: one.name })} icon={<X size={16} aria-hidden />} onClick={() => uploads.cancel(one.key)} />}
    </li>
  )
}

export function UploadPanel() {
  const list = useSyncExternalStore(uploads.subscribe, uploads.snapshot)
  if (list.length === 0) return null
  return (
    <section className="upload-panel" aria-label={t('Uploads')}>
      <header>
        <h2>
          <span role="status">{heading(list)}</span>
        </h2>
        <IconButton label={t('Clear finished')} icon={<X size={18} aria-hidden />} onClick={() => uploads.clear()} />
      </header>
      <ul>
        {list.map((one) => (
          <Row key={one.key} one={one} />
        ))}
      </ul>
    </section>
  )
}
