/** What one person asked to run, from the first cell that runs to the last that ends. Times are the server's, in milliseconds. */
import type { CellId, Execution, ExecutionId } from './wire'

export interface Batch {
  readonly waiting: ReadonlyMap<ExecutionId, CellId>
  readonly since: number | null
  readonly until: number
  readonly ended: readonly CellId[]
  readonly failed: CellId | null
}
export interface Ended {
  readonly ms: number
  readonly cells: readonly CellId[]
  readonly failed: CellId | null
}

export const NOTHING: Batch = { waiting: new Map(), since: null, until: 0, ended: [], failed: null }

/** With it comes what has ended, when nothing of it waits or runs any more. */
export function heard(batch: Batch, { execution, cell, state, started_at, finished_at }: Execution): readonly [Batch, Ended | null] {
  const waiting = new Map(batch.waiting)
  if (state === 'queued' || state === 'running') {
    waiting.set(execution, cell)
    return [{ ...batch, waiting, since: batch.since ?? started_at }, null]
  }
  // Of what was not seen to wait, or run, nothing is told: it ended before this page was here.
  if (!waiting.delete(execution)) return [batch, null]
  const since = batch.since ?? started_at
  const ran = state === 'cancelled' ? batch.ended : [...batch.ended, cell]
  const failed = batch.failed ?? (state === 'failed' ? cell : null)
  const until = Math.max(batch.until, finished_at ?? 0)
  if (waiting.size > 0) return [{ waiting, since, until, ended: ran, failed }, null]
  return [NOTHING, since === null || ran.length === 0 ? null : { ms: Math.max(0, until - since), cells: ran, failed }]
}
