/** The choice of a theme, as a menu's entry. */
import { type Submenu, setTheme, type Theme, useTheme } from './kit'

const THEMES: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
  { theme: 'system', label: 'As the system' },
]

export function useThemeEntry(): Submenu {
  const chosen = useTheme()
  return { label: 'Theme', items: THEMES.map(({ theme, label }) => ({ label, checked: chosen === theme, onSelect: () => setTheme(theme) })) }
}
