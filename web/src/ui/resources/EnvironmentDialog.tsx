/** What was installed on top of the runtime version, and the lock that the notebook's next runtime starts with. */
import './resources.css'
import { useEffect, useMemo, useState } from 'react'
import { t } from '../../i18n'
import { type Environment, runtimes } from '../../api/runtimes'
import { ago } from '../../i18n/moments'
import { isHere } from '../../session/session'
import { Button, Dialog, notify, Spinner } from '../kit'
import { useDesk, useMay, useSession } from '../notebook/hooks'
import { LockEditor } from './LockEditor'
import { type Asked, useAsked } from './useAsked'

export default function EnvironmentDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={t('Environment')} description={t('Packages that this notebook has besides those of its runtime version.')} wide>
      {open && <Loaded onClose={onClose} />}
    </Dialog>
  )
}

function Loaded({ onClose }: { onClose: () => void }) {
  const desk = useDesk()
  const environment = useAsked(useMemo(() => () => runtimes.environment(desk.id), [desk]))
  const { value, error, again } = environment
  if (value !== undefined) return <Shown value={value} environment={environment} onClose={onClose} />
  if (error === undefined) return <div className="sessions-wait"><Spinner large label={t('Loading')} /></div>
  return (
    <>
      <p className="field-error" role="alert">{error}</p>
      <div className="dialog-actions">
        <Button onClick={again}>{t('Try again')}</Button>
      </div>
    </>
  )
}

const BUILDING_EVERY_MS = 2000

type Work = 'pin' | 'save' | 'unpin'

function Shown({ value, environment, onClose }: { value: Environment; environment: Asked<Environment>; onClose: () => void }) {
  const desk = useDesk()
  const mayRun = useMay('run')
  const live = useSession((session) => isHere(session.runtime))
  const [draft, setDraft] = useState<string | null>(null)
  const [busy, setBusy] = useState<Work | null>(null)
  const [error, setError] = useState<string>()
  const { pinned } = value
  const building = pinned !== null && !pinned.ready
  const { again, put } = environment
  useEffect(() => {
    if (!building) return
    const timer = setInterval(again, BUILDING_EVERY_MS)
    return () => clearInterval(timer)
  }, [building, again])
  const work = async (what: Work, ask: () => Promise<Environment>, done: string) => {
    setBusy(what)
    setError(undefined)
    try {
      put(await ask())
      setDraft(null)
      notify({ title: done, kind: 'good' })
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    } finally {
      setBusy(null)
    }
  }
  return (
    <>
      <OnTop value={value} live={live} />
      {mayRun && (
        <Button weight={pinned ? 'outline' : 'primary'} small busy={busy === 'pin'} disabled={!live} onClick={() => void work('pin', () => runtimes.pin(desk.id), t('Pinned to this notebook'))}>
          {pinned ? t('Pin what is installed now') : t('Pin to this notebook')}
        </Button>
      )}
      <h3 className="environment-heading">{t('Pinned')}</h3>
      {pinned === null ? (
        <p className="environment-note">{t('Nothing is pinned: the next runtime of this notebook starts with its runtime version alone.')}</p>
      ) : (
        <>
          <p className="environment-note">
            {t('Every runtime of this notebook starts with this pylock.toml, pinned by {name} {ago}.', { name: pinned.by, ago: ago(pinned.at, Date.now()) })}{' '}
            <span role="status" aria-label={t('Environment status')}>{building ? t('It is being prepared.') : t('It is ready: the next runtime has it at once.')}</span>
          </p>
          <LockEditor text={pinned.lock} readOnly={!mayRun} onChange={(text) => setDraft(text === pinned.lock ? null : text)} />
        </>
      )}
      {error !== undefined && (
        <p className="environment-error" role="alert">
          {error} {busy === null && t('Change the lock, or install other versions with pip and pin again.')}
        </p>
      )}
      <div className="dialog-actions">
        {mayRun && pinned !== null && (
          <>
            <Button weight="ghost" busy={busy === 'unpin'} onClick={() => void work('unpin', () => runtimes.setLock(desk.id, null), t('Nothing is pinned any more'))}>
              {t('Unpin')}
            </Button>
            <Button busy={busy === 'save'} disabled={draft === null} onClick={() => void work('save', () => runtimes.setLock(desk.id, draft), t('The lock is saved'))}>
              {t('Save')}
            </Button>
          </>
        )}
        <Button weight="primary" onClick={onClose}>
          {t('Close')}
        </Button>
      </div>
    </>
  )
}

function OnTop({ value: { added, changed, removed }, live }: { value: Environment; live: boolean }) {
  const rows = [
    ...added.map(({ name, version }) => ({ name, how: 'added', version })),
    ...changed.map(({ name, from, to }) => ({ name, how: 'changed', version: `${from} → ${to}` })),
    ...removed.map(({ name, version }) => ({ name, how: 'removed', version })),
  ]
  return (
    <>
      <h3 className="environment-heading">{t('Installed in this runtime')}</h3>
      {rows.length === 0 ? (
        <p className="environment-note">{live ? t('Nothing yet. What you install with pip or uv appears here.') : t('There is no runtime now. Connect, and install packages with pip or uv.')}</p>
      ) : (
        <div className="packages-list" tabIndex={0} role="group" aria-label={t('Installed in this runtime')}>
          <table>
            <thead className="visually-hidden">
              <tr>
                <th scope="col">{t('Package')}</th>
                <th scope="col">{t('How')}</th>
                <th scope="col">{t('Version')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ name, how, version }) => (
                <tr key={`${how} ${name}`}>
                  <td>{name}</td>
                  <td className={`package-${how}`}>{how}</td>
                  <td>{version}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}
