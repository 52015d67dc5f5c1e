import { expect, test } from 'vitest'
import { FrameComm, type Sent } from './comm'

function made() {
  const sent: Sent[] = []
  const heard: { method: string; state: unknown; by: string }[] = []
  const comm = new FrameComm('c', 'jupyter.widget', (one) => sent.push(one))
  comm.on_msg((message) => {
    const { content, parent_header } = message as { content: { data: { method: string; state: unknown } }; parent_header: { msg_id: string } }
    heard.push({ method: content.data.method, state: content.data.state, by: parent_header.msg_id })
  })
  return { comm, sent, heard }
}

test('of several authors of one value the own is named, since ipywidgets waits for its echo', () => {
  const { comm, heard } = made()
  const mine = comm.send({ method: 'update' })
  comm.updated({ id: 'c', state: { value: 3, other: 1, kernel: 2 }, buffers: [], by: { value: ['theirs', mine, 'later'], other: ['theirs'] } })

  expect(heard).toEqual([
    { method: 'echo_update', state: { value: 3 }, by: mine },
    { method: 'echo_update', state: { other: 1 }, by: 'theirs' },
    { method: 'update', state: { kernel: 2 }, by: '' },
  ])
})

test('what was sent is done once', () => {
  const { comm, sent } = made()
  let idle = 0
  const message = comm.send({ method: 'custom' }, { iopub: { status: () => { idle += 1 } } } as never, {}, [new Uint8Array([1, 2, 3]).subarray(1)])
  comm.done(message)
  comm.done(message)

  expect(idle).toBe(1)
  expect([...new Uint8Array(sent[0]?.buffers[0] ?? new ArrayBuffer(0))]).toEqual([2, 3])
})

test('what comes before anybody listens is kept', () => {
  const comm = new FrameComm('c', 'jupyter.widget', () => undefined)
  comm.said({ method: 'custom', content: 1 }, [])
  const heard: unknown[] = []
  comm.on_msg((message) => heard.push((message as { content: { data: unknown } }).content.data))

  expect(heard).toEqual([{ method: 'custom', content: 1 }])
})
