/** Light, dark, or as the system says: this browser's choice, kept in this browser. */
import { useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark' | 'system'

const KEY = 'collegium.theme'
const listeners = new Set<() => void>()
const prefersDark = () => (typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null)

export function theme(): Theme {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'light' || kept === 'dark' ? kept : 'system'
  } catch {
    // Storage may be denied to this page; the system's choice serves then.
    return 'system'
  }
}

/** What is on the screen now. */
export function shownTheme(): 'light' | 'dark' {
  const chosen = theme()
  return chosen === 'system' ? (prefersDark()?.matches ? 'dark' : 'light') : chosen
}

function tell(): void {
  for (const listener of listeners) listener()
}

export function setTheme(next: Theme): void {
  try {
    if (next === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, next)
  } catch {
    // As above: the choice then lasts as long as the page.
  }
  applyTheme(next)
  tell()
}

export function applyTheme(chosen: Theme = theme()): void {
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
}

/** Another tab of this browser chose. */
function elsewhere({ key }: StorageEvent): void {
  if (key !== KEY) return
  applyTheme()
  tell()
}

function subscribe(listener: () => void): () => void {
  const system = prefersDark()
  if (listeners.size === 0) addEventListener('storage', elsewhere)
  listeners.add(listener)
  system?.addEventListener('change', listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) removeEventListener('storage', elsewhere)
    system?.removeEventListener('change', listener)
  }
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, theme)
export const useShownTheme = (): 'light' | 'dark' => useSyncExternalStore(subscribe, shownTheme)
