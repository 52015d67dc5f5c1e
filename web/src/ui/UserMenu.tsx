/** The person's face in the corner, and what they may do about themselves. */
import { LogOut, Monitor, Moon, Server, Settings, Sun, UserRound } from 'lucide-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { t } from '../i18n'
import { useAccount, useMe } from './account'
import { Avatar, later, Menu, notifyError, useTheme } from './kit'
import { useThemeEntry } from './themes'

const SessionsDialog = later(() => import('./resources/SessionsDialog'))

export function UserMenu() {
  const me = useMe()
  const { signOut } = useAccount()
  const chosen = useTheme()
  const themes = useThemeEntry()
  const [, navigate] = useLocation()
  const icons = { light: <Sun size={16} aria-hidden />, dark: <Moon size={16} aria-hidden />, system: <Monitor size={16} aria-hidden /> }
  const [sessions, setSessions] = useState<'unasked' | 'open' | 'closed'>('unasked')
  return (
    <>
      <Menu
        align="end"
        trigger={
          <button type="button" className="user-menu" aria-label={t('Account: {name}', { name: me.name })}>
            <Avatar name={me.name} color={me.color} size={34} decorative />
          </button>
        }
        items={[
          { heading: me.email },
          { label: t('Account'), icon: <UserRound size={16} aria-hidden />, onSelect: () => navigate('/account') },
          { label: t('Settings'), icon: <Settings size={16} aria-hidden />, onSelect: () => navigate('/settings', { state: { from: location.pathname } }) },
          { label: t('Manage sessions'), icon: <Server size={16} aria-hidden />, onSelect: () => setSessions('open') },
          { ...themes, icon: icons[chosen] },
          'separator',
          { label: t('Sign out'), icon: <LogOut size={16} aria-hidden />, onSelect: () => void signOut().then(() => navigate('/'), (error: unknown) => notifyError(t('Could not sign out'), error)) },
        ]}
      />
      {sessions !== 'unasked' && <SessionsDialog open={sessions === 'open'} onClose={() => setSessions('closed')} />}
    </>
  )
}
