/** What is new, in a list below the bell. */
import { Popover } from '@base-ui/react/popover'
import { Bell as BellIcon, CheckCheck } from 'lucide-react'
import { type ReactElement, type ReactNode, useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { useStore } from 'zustand'
import { at } from '../../i18n/formats'
import { t } from '../../i18n'
import { Avatar, Button, EmptyState, Hint, notifyError, Spinner } from '../kit'
import { markRead, type Notification, told, unread } from './line'

/** Open from the beginning: it is drawn when it is opened for the first time. */
export default function BellList({ bell, hint }: { bell: ReactElement; hint: ReactNode }) {
  const [open, setOpen] = useState(true)
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Hint text={hint}>
        <Popover.Trigger render={bell} />
      </Hint>
      <Popover.Portal>
        <Popover.Positioner className="layer" sideOffset={6} align="end" collisionPadding={8}>
          <Popover.Popup className="bell-list" aria-label={t('Notifications')}>
            <List onLeave={() => setOpen(false)} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

function List({ onLeave }: { onLeave: () => void }) {
  const [list, setList] = useState<readonly Notification[] | null>(null)
  const [more, setMore] = useState<string | null>(null)
  const [failure, setFailure] = useState<string>()
  const count = useStore(unread) ?? 0
  useEffect(() => {
    let here = true
    told(null).then(
      (page) => {
        if (!here) return
        setList(page.notifications)
        setMore(page.more)
      },
      (error: unknown) => here && setFailure(error instanceof Error ? error.message : String(error)),
    )
    return () => {
      here = false
    }
    // Once more whenever something new has come, or was read elsewhere.
  }, [count])
  const further = () =>
    told(more).then((page) => {
      setList([...(list ?? []), ...page.notifications])
      setMore(page.more)
    }).catch((error: unknown) => notifyError(t('The rest did not come'), error))
  const readAll = () => markRead(null).catch((error: unknown) => notifyError(t('They were not marked'), error))
  return (
    <>
      <div className="bell-head">
        <h2>{t('Notifications')}</h2>
        {count > 0 && <Button small weight="ghost" icon={<CheckCheck size={16} aria-hidden />} onClick={() => void readAll()}>{t('Mark all read')}</Button>}
      </div>
      {failure !== undefined && <p className="bell-note">{failure}</p>}
      {list === null && failure === undefined && <p className="bell-note"><Spinner /></p>}
      {list?.length === 0 && <EmptyState icon={<BellIcon size={36} aria-hidden />} title={t('Nothing yet')}>{t('You are told here when somebody mentions you, answers you, or shares something with you.')}</EmptyState>}
      <ul className="bell-entries">
        {list?.map((one) => <Entry key={one.id} one={one} onLeave={onLeave} />)}
      </ul>
      {more !== null && <Button small weight="ghost" onClick={() => void further()}>{t('Show more')}</Button>}
    </>
  )
}

function Entry({ one, onLeave }: { one: Notification; onLeave: () => void }) {
  const [, navigate] = useLocation()
  const go = () => {
    if (!one.read) markRead([one.id]).catch((error: unknown) => notifyError(t('It was not marked as read'), error))
    onLeave()
    const [path, hash] = one.place.split('#')
    if (location.pathname !== path) navigate(path!)
    if (hash !== undefined) {
      // Pressed again, it leads there again.
      history.replaceState(history.state, '', path)
      location.hash = hash
    }
  }
  return (
    <li>
      <button type="button" className="bell-entry" data-read={one.read} onClick={go}>
        <Avatar name={one.by.name} color={one.by.color} size={30} decorative />
        <span className="bell-words">
          <span className="bell-what"><strong>{one.by.name}</strong> {deed(one)} <strong>{one.item_name}</strong>{one.kind === 'shared' && t(' with you')}</span>
          {one.text !== '' && <span className="bell-text" dir="auto">{one.text}</span>}
          <time className="bell-when" dateTime={new Date(one.at).toISOString()}>{at('moment', one.at)}</time>
        </span>
        {!one.read && <span className="bell-new" role="img" aria-label={t('Unread')} />}
      </button>
    </li>
  )
}

function deed({ kind }: Notification): string {
  switch (kind) {
    case 'mention':
      return t('mentioned you in')
    case 'reply':
      return t('replied in')
    case 'comment':
      return t('commented on')
    case 'resolved':
      return t('resolved a thread in')
    case 'shared':
      return t('shared')
  }
}
