/** Since when the server is away, what becomes of the edits, and what can be done about it. */
import './offline.css'
import { Popover } from '@base-ui/react/popover'
import { type RefObject, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { at as written, sameDay } from '../../i18n/formats'
import { msg, t } from '../../i18n'
import { editsWait } from '../../model/text'
import { Button } from '../kit'
import { useDesk, useRoom } from './hooks'

export default function SaveDetails({ open, onClose, anchor }: { open: boolean; onClose: () => void; anchor: RefObject<HTMLElement | null> }) {
  return (
    <Popover.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Popover.Portal>
        <Popover.Positioner anchor={anchor} side="bottom" align="start" sideOffset={8} collisionPadding={8} className="save-positioner">
          <Popover.Popup className="save-details">
            <Details />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

function Details() {
  const { room } = useDesk()
  const waiting = useStore(room.unsaved)
  const keeps = useStore(room.keeps)
  const since = useRoom((state) => state.since)
  const reloads = useReloads()
  if (since === null) {
    return (
      <>
        <Popover.Title className="save-title">{waiting > 0 ? t('Saving') : t('Saved')}</Popover.Title>
        <p>{waiting > 0 ? t('{editsWait} for the server’s disk.', { editsWait: editsWait(waiting) }) : t('Everything is on the server’s disk.')}</p>
        {!keeps && <Unkept />}
      </>
    )
  }
  return (
    <>
      <Popover.Title className="save-title">{t('Offline since {time}', { time: clock(since) })}</Popover.Title>
      <p>
        {waiting > 0 ? `${editsWait(waiting)}. ` : ''}
        {keeps
          ? t('What you write is kept in this browser, sent as soon as the server answers, and merged with what others wrote meanwhile.')
          : t('What you write is sent as soon as the server answers, and merged with what others wrote meanwhile.')}
      </p>
      {keeps ? <p>{t(RELOADS[reloads])}</p> : <Unkept />}
      <p>{t('Cells cannot be run now, and outputs are not kept in this browser.')}</p>
      <div className="save-actions">
        <Button weight="soft" small onClick={room.hurry}>{t('Try now')}</Button>
      </div>
    </>
  )
}

function Unkept() {
  return <p className="save-warning">{t('This browser keeps no copy, since its window is private or its disk is full. Leave this tab open until everything is saved.')}</p>
}

type Reloads = 'asking' | 'yes' | 'no' | 'insecure'
const RELOADS: Readonly<Record<Reloads, string>> = {
  asking: '',
  yes: msg('This page may be closed and opened again meanwhile.'),
  no: msg('This page cannot be opened again while the server is away: leave it open. What you wrote is kept all the same.'),
  insecure: msg('This page cannot be opened again while the server is away, since its address is not https: leave it open. What you wrote is kept all the same.'),
}

/** Whether the page comes back without the server. */
function useReloads(): Reloads {
  const [reloads, setReloads] = useState<Reloads>(isSecureContext ? 'asking' : 'insecure')
  useEffect(() => {
    if (!isSecureContext) return
    const { serviceWorker } = navigator
    if (!serviceWorker) return setReloads('no')
    serviceWorker.getRegistration().then(
      (registration) => setReloads(registration?.active ? 'yes' : 'no'),
      () => setReloads('no'),
    )
  }, [])
  return reloads
}

function clock(at: number): string {
  const time = written('clock', at)
  return sameDay(at, Date.now()) ? time : `${written('weekday', at)}, ${time}`
}
