/** The bell in the corner: how much is new, and, pressed, what it is. */
import { Bell as BellIcon } from 'lucide-react'
import { cloneElement, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { Hint, later, notifyError } from '../kit'
import { listen, unread } from './line'
import './notifications.css'

const BellList = later(() => import('./BellList'))

export default function Bell() {
  const count = useStore(unread) ?? 0
  const [opened, setOpened] = useState(false)
  useEffect(listen, [])
  const open = () => void BellList.ahead().then(() => setOpened(true), (error: unknown) => notifyError(t('This could not be loaded'), error))
  const name = count === 0 ? t('Notifications') : t('Notifications, {count} unread', { count })
  const bell = (
    <button type="button" className="icon-button bell" aria-label={name}>
      <BellIcon size={18} aria-hidden />
      {count > 0 && <span className="bell-count" aria-hidden>{count > 99 ? '99+' : count}</span>}
    </button>
  )
  return (
    <>
      {opened ? <BellList bell={bell} hint={name} /> : <Hint text={name}>{cloneElement(bell, { 'aria-haspopup': 'dialog', 'aria-expanded': false, onClick: open })}</Hint>}
      <span className="visually-hidden" role="status">{count > 0 ? t('{count} unread notifications', { count }) : ''}</span>
    </>
  )
}
