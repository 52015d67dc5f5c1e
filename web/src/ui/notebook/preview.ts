/** Where a text that is written is also shown as it will be read: a choice of this browser, for all texts. */
import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'

export type Preview = 'beside' | 'below' | 'none'

const KEY = 'collegium/preview'

const isPreview = (value: string | null): value is Preview => value === 'beside' || value === 'below' || value === 'none'

function kept(): Preview {
  try {
    const value = localStorage.getItem(KEY)
    return isPreview(value) ? value : 'beside'
  } catch {
    // Storage may be denied to this page: nothing was chosen then.
    return 'beside'
  }
}

const chosen = createStore<{ readonly preview: Preview }>(() => ({ preview: kept() }))

export function previewed(preview: Preview): void {
  chosen.setState({ preview })
  try {
    localStorage.setItem(KEY, preview)
  } catch {
    // As above: the choice lasts as long as the page.
  }
}

export const usePreview = (): Preview => useStore(chosen, ({ preview }) => preview)
