/** What a frame may ask about widgets; the code behind it comes with the first question. */
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import type { ExecutionId, Output } from '../../model/wire'
import type { Methods } from '../frame/host'
import type { Network } from '../frame/wire'
import type { Around } from './around'
import type { FrameItem } from './items'

export const VIEW = 'application/vnd.jupyter.widget-view+json'

export interface Link {
  readonly methods: Methods
  close(): void
}

const BOKEH = /^bokeh\//

/**
 * A closed frame, whose outputs were not made by a run here, may read what is known of its models, and the scripts of
 * Bokeh in the notebook's runtime, and do nothing else.
 */
export function linkWidgets(around: Around, network: Network, execution: ExecutionId | null, post: (items: readonly FrameItem[]) => void): Link {
  const closing = new AbortController()
  let joined: ReturnType<typeof join> | null = null
  const join = async () => (await import('./plane')).planeOf(around).join(post, network === 'open' ? execution : null, closing.signal)
  const member = () => (joined ??= join())
  const script = async (path: unknown) => (await member()).nbextension(path)
  const bokeh = async (path: unknown) => {
    if (!BOKEH.test(String(path))) throw new Error(t('This is no name of a script.'))
    return script(path)
  }
  const reading: Methods = { models: async (ids) => (await member()).models(ids), nbextension: bokeh }
  const methods: Methods =
    network === 'closed'
      ? reading
      : { ...reading, say: async (sent) => (await member()).say(sent), nbextension: script, mayMove: async () => around.mayRun() }
  return { methods, close: () => closing.abort() }
}

export function modelsIn(outputs: readonly Output[]): readonly string[] {
  const views = outputs.map((output) => ('data' in output ? output.data[VIEW] : undefined))
  return views.map((view) => (view as { model_id?: unknown } | null | undefined)?.model_id).filter((id) => typeof id === 'string')
}

/** Whether the kernel has the widgets that these outputs show; null while that is not known. */
export function useAlive(around: Around | null, outputs: readonly Output[], wanted: boolean): boolean | null {
  const ids = around !== null && wanted ? modelsIn(outputs) : []
  const key = ids.join(' ')
  const [found, setFound] = useState<{ readonly key: string; readonly alive: boolean } | null>(null)
  useEffect(() => {
    if (around === null || key === '') return
    let stale = false
    const settle = (alive: boolean) => stale || setFound({ key, alive })
    import('./plane').then(async ({ planeOf }) => settle(await planeOf(around).isAlive(key.split(' ')))).catch(() => settle(false))
    return () => {
      stale = true
    }
  }, [around, key])
  if (key === '') return false
  return found?.key === key ? found.alive : null
}
