/** Whether what is on the screen is on the server's disk: only its own acknowledgements say so. */
import { Check, CloudOff, RefreshCw } from 'lucide-react'
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { editsWait } from '../../model/text'
import { useSetting } from '../../settings/store'
import { classes, later } from '../kit'
import { useDesk, useRoom } from './hooks'
import { savingOf } from './saving'

const SaveDetails = later(() => import('./SaveDetails'))
const REST_MS = 2000

export function SaveStatus() {
  const { room } = useDesk()
  const keeps = useStore(room.keeps)
  const connection = useRoom((state) => state.connection)
  const offline = connection === 'offline' || connection === 'ended'
  const saving = useMemo(() => savingOf(room.unsaved), [room])
  const saves = useSyncExternalStore(saving.subscribe, saving.current)
  // Elsewhere it changes with every key, and is not shown.
  const waiting = useStore(room.unsaved, (edits) => (offline ? edits : 0))
  const announces = useSetting((all) => all.accessibility.announce)
  const [details, setDetails] = useState<'unasked' | 'open' | 'closed'>('unasked')
  const anchor = useRef<HTMLSpanElement>(null)
  useUnloadWarning()
  useEffect(() => {
    // Here before the server is gone, when somebody will want to know more.
    const timer = setTimeout(() => void SaveDetails.ahead().catch(() => undefined), REST_MS)
    return () => clearTimeout(timer)
  }, [])
  const joining = connection === 'connecting'
  const text = joining ? '' : offline ? t('Offline') : saves ? t('Saving…') : t('Saved')
  const Icon = offline ? CloudOff : saves ? RefreshCw : Check
  return (
    <span className={classes('save-status', offline && 'save-offline', offline && !keeps && 'save-unkept')} ref={anchor}>
      {!joining && <Icon size={14} aria-hidden />}
      {/* Whoever writes is not told with each pause that it begins. */}
      <span role="status" aria-live={announces && !saves ? 'polite' : 'off'} aria-label={t('Save status')}>
        {text}
      </span>
      {/* Beside the status: not every edit that is added to it is to be read out. */}
      {waiting > 0 && <span className="save-count">· {editsWait(waiting)}</span>}
      {!joining && (
        <button
          type="button"
          className="save-more"
          aria-label={waiting > 0 ? t('Saving details, {editsWait}', { editsWait: editsWait(waiting) }) : t('Saving details')}
          aria-haspopup="dialog"
          aria-expanded={details === 'open'}
          onClick={() => setDetails(details === 'open' ? 'closed' : 'open')}
        />
      )}
      {details !== 'unasked' && <SaveDetails open={details === 'open'} onClose={() => setDetails('closed')} anchor={anchor} />}
    </span>
  )
}

/** What is kept in this browser outlives the tab; only what is not needs a warning. */
function useUnloadWarning(): void {
  const { room } = useDesk()
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (room.unsaved.getState() > 0 && !room.keeps.getState()) event.preventDefault()
    }
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [room])
}
