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
