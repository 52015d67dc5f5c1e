/** The settings in force: kept in this browser, so that the first drawing is right. */
import { useStore } from 'zustand'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { type Change, changed, read, type Settings } from './model'

const KEY = 'collegium/settings'

function kept(): Settings {
  try {
    return read(JSON.parse(localStorage.getItem(KEY) ?? 'null'))
  } catch {
    // Storage may be denied to this page, or hold something else's text: nothing was chosen then.
    return read(null)
  }
}

export const settings: StoreApi<Settings> = createStore<Settings>(kept)

export function set(change: Change): void {
  settings.setState((now) => changed(now, change), true)
}

settings.subscribe((now) => {
  try {
    localStorage.setItem(KEY, JSON.stringify(now))
  } catch {
    // As above: the choice then lasts as long as the page.
  }
})

export const useSetting = <T>(select: (settings: Settings) => T): T => useStore(settings, select)
