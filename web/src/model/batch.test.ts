/** When a run is over, how long it took, and whether it failed. */
import { expect, test } from 'vitest'
import { type Batch, type Ended, heard, NOTHING } from './batch'
import type { Execution, ExecutionState } from './wire'

const at = (name: string, state: ExecutionState, started: number | null = null, finished: number | null = null): Execution =>
  ({ execution: `e-${name}`, cell: name, state, user: null, count: null, queued_at: 0, started_at: started, finished_at: finished }) as Execution

function told(...executions: readonly Execution[]): readonly Ended[] {
  let batch: Batch = NOTHING
  return executions.flatMap((execution) => {
    const [next, ended] = heard(batch, execution)
    batch = next
    return ended ? [ended] : []
  })
}

test('cells that were asked for together end together, as long as from the first to the last', () => {
  const run = [at('a', 'queued'), at('b', 'queued'), at('a', 'running', 1000), at('a', 'finished', 1000, 4000), at('b', 'running', 4000), at('b', 'finished', 4000, 9000)]

  expect(told(...run)).toEqual([{ ms: 8000, cells: ['a', 'b'], failed: null }])
  expect(told(...run, at('c', 'running', 20_000), at('c', 'finished', 20_000, 21_000))).toHaveLength(2)
})

test('a failure is told with what was cancelled behind it', () => {
  expect(told(at('a', 'running', 0), at('b', 'queued'), at('a', 'failed', 0, 50), at('b', 'cancelled'))).toEqual([{ ms: 50, cells: ['a'], failed: 'a' }])
})

test('what had ended before, and what never ran, is not told', () => {
  expect(told(at('a', 'finished', 0, 5), at('b', 'queued'), at('b', 'cancelled'))).toEqual([])
})
