/** For who is only passing by: nothing of the notebook stays in this browser. */
import { createStore } from 'zustand/vanilla'
import { type LocalCopy, NOTHING_UNSENT } from './copy'
import type { Label } from './shelf'

export class NoCopy implements LocalCopy {
  label: Label | null = null
  readonly aside = 0
  heard = null
  readonly keeps = createStore<boolean>(() => true)
  readonly origin = this

  load(): Promise<number> {
    return Promise.resolve(0)
  }

  welcome(label: Label): void {
    this.label = label
  }

  received(): void {}

  made(): number {
    return 0
  }

  confirmed(): void {}

  unsent() {
    return Promise.resolve(NOTHING_UNSENT)
  }

  setAside() {
    return Promise.resolve(null)
  }

  close(): void {}
}
