/** The settings in force: kept in this browser, so that the first drawing is right; its tabs share them. */
import { useStore } from 'zustand'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { type Change, changed, DEFAULTS, merged, read, type Settings } from './model'

const KEY = 'collegium/settings'

/** What is kept beside them. */
interface Notes {
  /** Whose they are; null: of whoever signs in next. */
  readonly of: string | null
  /** What the server has not been told yet. */
  readonly unsent: Change
}

function kept(): { readonly settings: Settings; readonly notes: Notes } {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Partial<Notes> | null
    return { settings: read(found), notes: { of: typeof found?.of === 'string' ? found.of : null, unsent: found?.unsent ?? {} } }
  } catch {
    // Storage may be denied to this page, or hold something else's text: nothing was chosen then.
    return { settings: DEFAULTS, notes: { of: null, unsent: {} } }
  }
}

const first = kept()
export const settings: StoreApi<Settings> = createStore<Settings>(() => first.settings)
export const notes: StoreApi<Notes> = createStore<Notes>(() => first.notes)

function keep(): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...settings.getState(), ...notes.getState() }))
  } catch {
    // As above: the choice then lasts as long as the page.
  }
}

export function set(change: Change): void {
  settings.setState((now) => changed(now, change), true)
  notes.setState(({ unsent }) => ({ unsent: merged(unsent, change) }))
  keep()
}

/** What the server says holds for this person, and what it has yet to be told. */
export function adopt(next: Settings, now: Notes): void {
  settings.setState(next, true)
  notes.setState(now, true)
  keep()
}

// Another tab of this browser chose something.
window.addEventListener('storage', ({ key }) => {
  if (key !== KEY) return
  const now = kept()
  settings.setState(now.settings, true)
  notes.setState(now.notes, true)
})

export const useSetting = <T>(select: (settings: Settings) => T): T => useStore(settings, select)
