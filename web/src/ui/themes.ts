/** The choice of a theme, as a menu's entry. */
import { msg, t } from '../i18n'
import { type Submenu, setTheme, type Theme, useTheme } from './kit'

const THEMES: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: 'light', label: msg('Light') },
  { theme: 'dark', label: msg('Dark') },
  { theme: 'system', label: msg('As the system') },
]

export function useThemeEntry(): Submenu {
  const chosen = useTheme()
  return { label: t('Theme'), items: THEMES.map(({ theme, label }) => ({ label: t(label), checked: chosen === theme, onSelect: () => setTheme(theme) })) }
}
