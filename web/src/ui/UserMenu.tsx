/** The person's face in the corner, and what they may do about themselves. */
import { LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react'
import { useLocation } from 'wouter'
import { useAccount, useMe } from './account'
import { Avatar, Menu, notifyError, setTheme, useTheme } from './kit'

export function UserMenu() {
  const me = useMe()
  const { signOut } = useAccount()
  const chosen = useTheme()
  const [, navigate] = useLocation()
  const icons = { light: <Sun size={16} aria-hidden />, dark: <Moon size={16} aria-hidden />, system: <Monitor size={16} aria-hidden /> }
  return (
    <Menu
      align="end"
      trigger={
        <button type="button" className="user-menu" aria-label={`Account: ${me.name}`}>
          <Avatar name={me.name} color={me.color} size={34} decorative />
        </button>
      }
      items={[
        { heading: me.email },
        { label: 'Account', icon: <UserRound size={16} aria-hidden />, onSelect: () => navigate('/account') },
        {
          label: 'Theme',
          icon: icons[chosen],
          items: [
            { label: 'Light', checked: chosen === 'light', onSelect: () => setTheme('light') },
            { label: 'Dark', checked: chosen === 'dark', onSelect: () => setTheme('dark') },
            { label: 'As the system', checked: chosen === 'system', onSelect: () => setTheme('system') },
          ],
        },
        'separator',
        { label: 'Sign out', icon: <LogOut size={16} aria-hidden />, onSelect: () => void signOut().then(() => navigate('/'), (error: unknown) => notifyError('Could not sign out', error)) },
      ]}
    />
  )
}
