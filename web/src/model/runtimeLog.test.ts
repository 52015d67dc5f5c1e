/** The log of a runtime, in words. */
import { expect, test } from 'vitest'
import { atLeast, entryText, followed, type LogEntry, logText } from './runtimeLog'

const entry = (what: string, about: Record<string, unknown> = {}, more: Partial<LogEntry> = {}): LogEntry => ({ n: 1, at: 0, level: 'info', what, about, ...more })

test.each([
  [entry('runtime_wanted', { user: 'Ada', type: 'cpu', version: '2026.11' }), 'Ada asks for a runtime: cpu, version 2026.11'],
  [entry('runtime_ready', { type: 'cpu', version: '2026.11', memory_bytes: 2 * 1024 ** 3, kernel: 'python3' }), 'Runtime is ready: cpu, version 2026.11, 2.0 GB RAM'],
  [entry('restart'), 'Kernel is restarted'],
  [entry('restart', { reason: 'terminated: it was stopped a second time' }), 'Kernel is restarted: terminated: it was stopped a second time'],
  [entry('kernel_ended', { reason: 'shut down', why: { code: 'shut_down' } }), 'Kernel ended: shut down'],
  [entry('packages', { new: ['tqdm 4.67'], gone: ['pillow'] }), 'Packages changed: + tqdm 4.67, − pillow'],
  [entry('printed', { text: 'Fatal Python error\n  more' }), 'Fatal Python error\n  more'],
  [entry('of_tomorrow', { moon: 1 }), 'of_tomorrow {"moon":1}'],
])('%#', (one, words) => {
  expect(entryText(one)).toBe(words)
})

test('only what is at least as bad is shown', () => {
  const all = (['info', 'warning', 'error'] as const).map((level) => entry('interrupt', {}, { level }))

  expect([atLeast(all, 'info').length, atLeast(all, 'warning').length, atLeast(all, 'error').length]).toEqual([3, 2, 1])
})

test('it follows, and keeps no more than the server does', () => {
  const many = Array.from({ length: 3000 }, (_, n) => entry('interrupt', {}, { n }))

  expect(followed(many.slice(0, 1), [])).toHaveLength(1)
  expect(followed([], many)).toHaveLength(2000)
  expect(followed([], many).at(-1)!.n).toBe(2999)
})

test('as text it has times and levels', () => {
  expect(logText([entry('interrupt', {}, { level: 'warning' })])).toBe('1970-01-01T00:00:00.000Z WARNING Interrupted\n')
})
