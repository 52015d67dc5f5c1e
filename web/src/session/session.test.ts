import { expect, test } from 'vitest'
import type { FromServer, ToServer } from '../model/wire'
import { Session } from './session'

function line(): { session: Session; sent: ToServer[]; say: (message: object) => void; refused: string[] } {
  const sent: ToServer[] = []
  const refused: string[] = []
  let hear: (message: FromServer) => void = () => undefined
  const wire = {
    send: (message: ToServer) => sent.push(message) > 0,
    listen: (listener: (message: FromServer) => void) => {
      hear = listener
      return () => undefined
    },
  }
  const session = new Session(wire, { refused: (code) => refused.push(code) })
  return { session, sent, refused, say: (message) => hear(message as FromServer) }
}

const execution = (state: string, more: object = {}) => ({
  type: 'execution', execution: 'e1', cell: 'c', state, user: { id: 'u', name: 'Ada' }, count: null, queued_at: 1, started_at: null, finished_at: null, ...more,
})
const stream = (text: string) => ({ output_type: 'stream', name: 'stdout', text })

test('outputs arrive in order and are kept by cell', () => {
  const { session, say } = line()
  say(execution('running'))
  say({ type: 'outputs', execution: 'e1', cell: 'c', version: 1, splice: [0, [stream('a')]] })
  say({ type: 'append', execution: 'e1', cell: 'c', version: 2, index: 0, keep: 1, text: 'b' })

  expect(session.run('c')?.outputs).toEqual([stream('ab')])
  expect(session.run('c')?.live).toBe(true)
})

test('a gap asks for the whole, and the whole mends it', () => {
  const { session, say, sent } = line()
  say(execution('running'))
  say({ type: 'outputs', execution: 'e1', cell: 'c', version: 1, splice: [0, [stream('a')]] })
  say({ type: 'append', execution: 'e1', cell: 'c', version: 3, index: 0, keep: 2, text: 'c' })
  expect(sent.at(-1)).toEqual({ type: 'outputs', execution: 'e1' })
  say({ type: 'outputs', execution: 'e1', cell: 'c', version: 3, splice: [0, [stream('abc')]] })

  expect(session.run('c')?.outputs).toEqual([stream('abc')])
})

test('the last outputs stay until the next run speaks, and go when it ends in silence', () => {
  const { session, say } = line()
  say(execution('finished', { outputs: [stream('old')], version: 1 }))
  say(execution('queued', { execution: 'e2', queued_at: 2 }))
  say(execution('running', { execution: 'e2', queued_at: 2 }))
  expect(session.run('c')?.outputs).toEqual([stream('old')])
  say(execution('finished', { execution: 'e2', queued_at: 2 }))

  expect(session.run('c')?.outputs).toEqual([])
})

test('a cell that did not come to run shows again what it showed before', () => {
  const { session, say } = line()
  const first = execution('finished', { outputs: [stream('old')], version: 4 })
  say(first)
  say(execution('queued', { execution: 'e2', queued_at: 2 }))
  say(execution('cancelled', { execution: 'e2', queued_at: 2 }))
  say({ type: 'cells', executions: [first] })

  expect(session.run('c')).toMatchObject({ execution: { execution: 'e1', state: 'finished' }, outputs: [stream('old')] })
})

test('a run that begins empty keeps the last outputs on the page until it speaks', () => {
  const { session, say } = line()
  say(execution('finished', { outputs: [stream('old')], version: 1 }))
  say(execution('running', { execution: 'e2', queued_at: 2, outputs: [], version: 0 }))
  expect(session.run('c')).toMatchObject({ outputs: [stream('old')], madeBy: 'e1' })
  say({ type: 'outputs', execution: 'e2', cell: 'c', version: 1, splice: [0, [stream('new')]] })

  expect(session.run('c')).toMatchObject({ outputs: [stream('new')], madeBy: 'e2' })
})

test('the cells of a notebook may come in several frames', () => {
  const { session, say } = line()
  say({ type: 'cells', executions: [execution('finished')] })
  say({ type: 'cells', executions: [execution('finished', { execution: 'e9', cell: 'd' })] })

  expect([session.run('c')?.execution.state, session.run('d')?.execution.state]).toEqual(['finished', 'finished'])
})

test('saved outputs are not live', () => {
  const { session, say } = line()
  say({ type: 'cells', executions: [{ ...execution('finished'), saved: true, outputs: [stream('x')] }] })

  expect(session.run('c')?.live).toBe(false)
})

test('a refusal is told, and an acceptance is true', async () => {
  const { session, say, sent, refused } = line()
  const first = session.execute([{ cell: 'c', hash: 'h' }])
  say({ type: 'refused', request: (sent[0] as { request: string }).request, code: 'stale_source', detail: 'x' })
  const second = session.execute([{ cell: 'c', hash: 'h' }])
  say({ type: 'accepted', request: (sent[1] as { request: string }).request, executions: [{ execution: 'e', cell: 'c' }] })

  expect([await first, await second]).toEqual([false, true])
  expect(refused).toEqual(['stale_source'])
})

test('only the cell that changed is told', () => {
  const { session, say } = line()
  const told: string[] = []
  session.watch('c', () => told.push('c'))
  session.watch('d', () => told.push('d'))
  say(execution('running'))

  expect(told).toEqual(['c'])
})

const runtime = (more: object = {}) => ({ id: 'r1', state: 'ready', type: 'cpu', version: '2026.11', ...more })
const kernel = (state: string) => ({ id: 'k1', state })
const told = (more: object = {}) => ({ type: 'session', runtime: runtime(), kernel: kernel('idle'), queue: [], ...more })
const usage = (at: number, memory = 1) => ({
  type: 'usage', runtime: 'r1', at, memory_bytes: memory, memory_limit_bytes: 8, cpu_percent: 5, cpus: 2, disk_bytes: 3, disk_limit_bytes: 9, processes: 4, gpus: [],
})

test('usage is kept while the runtime lives, and not of the one before', () => {
  const { session, say } = line()
  say(told())
  say(usage(1_000))
  say(usage(20_000, 2))
  expect(session.usage.getState()).toMatchObject({ now: { memory_bytes: 2 }, seen: [[1_000, 1, 5, 3, null], [20_000, 2, 5, 3, null]] })
  say(told({ runtime: runtime({ id: 'r2' }) }))

  expect(session.usage.getState()).toEqual({ now: null, seen: [] })
})

test('the server says what time it is', () => {
  const { session, say } = line()
  say(usage(Date.now() + 3_600_000))

  expect(Math.abs(session.now() - Date.now() - 3_600_000)).toBeLessThan(1000)
})

test('a runtime that goes by itself is missed, one that was given back is not', () => {
  const { session, say } = line()
  say(told())
  say(told({ runtime: runtime({ state: 'stopped', reason: 'unused for 90 minutes' }), kernel: null }))
  say(told({ runtime: null, kernel: null }))
  expect(session.state.getState().gone).toEqual({ reason: 'unused for 90 minutes', started: true })
  say(told())
  expect(session.state.getState().gone).toBeNull()
  session.command('disconnect')
  say(told({ runtime: null, kernel: null }))

  expect(session.state.getState().gone).toBeNull()
})

test('whoever comes after a runtime went is told too', () => {
  const { session, say } = line()
  say(told({ runtime: runtime({ state: 'failed', reason: 'the runtime was taken back' }), kernel: null }))
  expect(session.state.getState().gone).toEqual({ reason: 'the runtime was taken back', started: true })
  session.dismiss('gone')
  say(told({ runtime: runtime({ state: 'failed', reason: 'the runtime was taken back' }), kernel: null }))

  expect(session.state.getState().gone).toBeNull()
})

test('a change of runtime is no loss, but one that does not start is', () => {
  const { session, say, sent } = line()
  say(told())
  session.connect({ type: 'gpu', version: '2026.11' })
  expect(sent.at(-1)).toEqual({ type: 'connect', runtime_type: 'gpu', version: '2026.11' })
  say(told({ runtime: null, kernel: null }))
  expect(session.state.getState().gone).toBeNull()
  say(told({ runtime: runtime({ id: '', state: 'requested' }), kernel: null }))
  say(told({ runtime: null, kernel: null }))

  expect(session.state.getState().gone).toEqual({ reason: null, started: false })
})

test('a refusal to connect is told, and the wait is over', () => {
  const { session, say, refused } = line()
  session.connect()
  expect(session.state.getState().connecting).toBe(true)
  say({ type: 'refused', code: 'quota_exceeded', detail: 'x' })

  expect([refused, session.state.getState().connecting]).toEqual([['quota_exceeded'], false])
})

test('memory is warned about until it fell or the kernel is a new one', () => {
  const { session, say } = line()
  const warning = { type: 'memory_warning', memory_bytes: 7, memory_limit_bytes: 8, variables: [{ name: 'x', type: 'ndarray', bytes: 6 }] }
  say(told())
  say(warning)
  expect(session.state.getState().memory).toEqual({ bytes: 7, limit: 8, variables: warning.variables })
  say({ type: 'memory_warning', over: true })
  expect(session.state.getState().memory).toBeNull()
  say(warning)
  say(told({ kernel: kernel('restarting') }))

  expect(session.state.getState().memory).toBeNull()
})

test('replaced packages are told once for each change, until the kernel is a new one', () => {
  const { session, say } = line()
  const changed = [{ name: 'numpy', from: '1.26', to: '2.0' }]
  say(told())
  say({ type: 'packages', changed })
  say({ type: 'packages', changed })
  expect(session.state.getState().packages).toEqual(changed)
  session.dismiss('packages')
  say({ type: 'packages', changed })
  expect(session.state.getState().packages).toEqual([])
  say({ type: 'packages', changed: [{ name: 'numpy', from: '1.26', to: '2.1' }] })
  expect(session.state.getState().packages).toHaveLength(1)
  say(told({ kernel: kernel('restarting') }))
  expect(session.state.getState().packages).toEqual([])
  say(told())
  say({ type: 'packages', changed })

  expect(session.state.getState().packages).toEqual(changed)
})
