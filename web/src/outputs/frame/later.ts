/** Widgets are loaded into the frame when the first is drawn; what is said of them before concerns nobody. */
import type { FrameItem } from '../widgets/items'

type Widgets = typeof import('./widgets')
let loading: Promise<Widgets> | null = null

export function widgets(): Promise<Widgets> {
  loading ??= import('./widgets')
  return loading
}

export function heard(items: readonly FrameItem[]): void {
  void loading?.then((loaded) => loaded.heard(items))
}
