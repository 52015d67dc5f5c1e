/** What makes strangers' HTML fit for the page is fetched with the first output that has some. */
import { useSyncExternalStore } from 'react'
import type { Output } from '../model/wire'
import type { Clean } from './sanitize'

type Cleaner = typeof import('./sanitize')

let cleaner: Cleaner | undefined
let loading: Promise<void> | undefined
let failure: unknown
const waiting = new Set<() => void>()

/** Have it come now. A failure is thrown where it is used; the next one tries again. */
export function loadCleaner(): Promise<void> {
  return (loading ??= import('./sanitize')
    .then(
      (module) => {
        cleaner = module
        failure = undefined
      },
      (error: unknown) => {
        loading = undefined
        failure = error
      },
    )
    .then(() => {
      for (const tell of waiting) tell()
    }))
}

function subscribe(tell: () => void): () => void {
  waiting.add(tell)
  if (cleaner === undefined) void loadCleaner()
  return () => waiting.delete(tell)
}

const idle = () => () => {}

/** Whether all that these outputs need is here. */
export function useCleaner(outputs: readonly Output[]): boolean {
  const needed = outputs.some((output) => 'data' in output && 'text/html' in output.data)
  const failed = useSyncExternalStore(needed ? subscribe : idle, () => (needed && cleaner === undefined ? failure : undefined))
  const here = useSyncExternalStore(needed ? subscribe : idle, () => !needed || cleaner !== undefined)
  if (failed !== undefined) throw failed
  return here
}

/** Only for outputs whose needs are here. */
export function clean(html: string): Clean {
  if (cleaner === undefined) throw new Error('what cleans HTML is not here')
  return cleaner.clean(html)
}
