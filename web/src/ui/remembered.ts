/** Who was signed in here last, so that the page knows its own person when the server cannot be asked. */
import type { Me } from '../api/types'

const KEY = 'collegium/me'

export function remember(me: Me | null): void {
  if (me === null) localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, JSON.stringify(me))
}

export function remembered(): Me | null {
  try {
    const me = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Me | null
    return typeof me?.id === 'string' ? me : null
  } catch {
    // Something else wrote there: nobody is remembered.
    return null
  }
}
