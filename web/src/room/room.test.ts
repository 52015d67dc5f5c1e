import { afterEach, expect, test } from 'vitest'
import * as Y from 'yjs'
import { cellOf, insert, order, textOf } from '../model/notebook'
import { Room, type RoomEvents } from './room'
import { FakeServer, MemoryCopy, until } from './testing'

const open: Room[] = []
afterEach(() => {
  for (const room of open.splice(0)) room.close()
})

function join(server: FakeServer, { copy = new MemoryCopy(), events = {} }: { copy?: MemoryCopy; events?: Partial<RoomEvents> } = {}): Room {
  const room = new Room({ url: 'ws://test', notebook: 'n', copy, socket: server.make, events: { replaced: () => undefined, refused: () => undefined, troubled: () => undefined, signedOut: () => undefined, ...events } })
  open.push(room)
  void room.open()
  return room
}
const online = (room: Room) => until(() => room.state.getState().connection === 'online')
const type = (room: Room, id: string, text: string) => textOf(cellOf(room.doc, id)!).insert(0, text)
const read = (room: Room, id: string) => String(cellOf(room.doc, id)?.get('source'))

function withOneCell(): FakeServer {
  const server = new FakeServer()
  server.addCell('c1', 'x = 1', 'V')
  return server
}

async function opened() {
  const server = withOneCell()
  const room = join(server)
  await online(room)
  return { server, room }
}

test('what one tab types is seen by another', async () => {
  const server = withOneCell()
  const [ada, bob] = [join(server), join(server)]
  await Promise.all([online(ada), online(bob)])
  type(ada, 'c1', '# hello\n')
  await until(() => read(bob, 'c1') === '# hello\nx = 1')

  expect(server.rejected).toEqual([])
})

test('nothing counts as saved before the server has committed it', async () => {
  const { server, room } = await opened()
  server.slow = true
  type(room, 'c1', 'a')
  await Promise.resolve()
  type(room, 'c1', 'b')
  expect(room.unsaved.getState()).toBe(2)
  await until(() => server.sockets.size === 1)
  await new Promise((next) => setTimeout(next, 5))
  server.commit()
  await until(() => room.unsaved.getState() === 0)

  expect(server.source('c1')).toBe('bax = 1')
})

test('edits made without a network arrive when it is back', async () => {
  const { server, room } = await opened()
  server.crash()
  await until(() => room.state.getState().connection === 'offline')
  type(room, 'c1', 'offline ')
  insert(room.doc, 'c1', [{ type: 'code', source: 'new' }], 'u')
  expect(room.unsaved.getState()).toBeGreaterThan(0)
  server.down = false
  await online(room)
  await until(() => room.unsaved.getState() === 0)

  expect(server.source('c1')).toBe('offline x = 1')
  expect(order(server.doc)).toEqual(order(room.doc))
  expect(server.rejected).toEqual([])
})

test('an unacknowledged edit is sent again after the server came back without it', async () => {
  const { server, room } = await opened()
  server.slow = true
  type(room, 'c1', 'kept ')
  await until(() => room.unsaved.getState() === 1)
  server.crash()
  await until(() => room.state.getState().connection === 'offline')
  server.slow = server.down = false
  await online(room)
  await until(() => room.unsaved.getState() === 0)

  expect(server.source('c1')).toBe('kept x = 1')
})

test('edits of a tab that was closed offline are delivered by the next one under their own client id', async () => {
  const server = withOneCell()
  const kept = { epoch: null, dirty: false, update: null }
  const first = join(server, { copy: new MemoryCopy(kept) })
  await online(first)
  server.crash()
  await until(() => first.state.getState().connection === 'offline')
  type(first, 'c1', 'stranded ')
  first.close()
  server.down = false
  const second = join(server, { copy: new MemoryCopy(kept) })
  type(second, 'c1', '')
  await online(second)

  expect(server.source('c1')).toBe('stranded x = 1')
  expect(server.rejected).toEqual([])
}, 10_000)

test('a deletion made offline in a closed tab is not forgotten', async () => {
  const server = withOneCell()
  const kept = { epoch: null, dirty: false, update: null }
  const first = join(server, { copy: new MemoryCopy(kept) })
  await online(first)
  server.crash()
  await until(() => first.state.getState().connection === 'offline')
  textOf(cellOf(first.doc, 'c1')!).delete(0, 4)
  first.close()
  server.down = false
  await online(join(server, { copy: new MemoryCopy(kept) }))
  await until(() => server.source('c1') === '1')
})

test('a document with another epoch replaces the copy, and hands over what was not sent', async () => {
  const server = withOneCell()
  const kept = { epoch: 'older', dirty: true, update: Y.encodeStateAsUpdate(withOneCell().doc) }
  const replaced: (Y.Doc | null)[] = []
  join(server, { copy: new MemoryCopy(kept), events: { replaced: (_why, doc) => replaced.push(doc) } })
  await until(() => replaced.length === 1)

  expect(replaced[0]).not.toBeNull()
  expect(kept.epoch).toBeNull()
})

test('a copy that has drifted apart is reported and fetched anew', async () => {
  const server = withOneCell()
  let replaced = 0
  const room = join(server, { events: { replaced: () => replaced++ } })
  await online(room)
  server.heartbeat()
  await new Promise((next) => setTimeout(next, 10))
  expect(replaced).toBe(0)
  server.heartbeat('deadbeef')
  await until(() => replaced === 1)

  expect(server.heard.at(-1)).toMatchObject({ type: 'diverged', seq: server.seq })
})

test('a viewer sends nothing', async () => {
  const server = withOneCell()
  server.may = ['read']
  const room = join(server)
  await online(room)
  server.crash()
  await until(() => room.state.getState().connection === 'offline')
  server.down = false
  await online(room)

  expect(server.rejected).toEqual([])
})

test('colleagues are seen, and gone when the connection is', async () => {
  const server = withOneCell()
  const [ada, bob] = [join(server), join(server)]
  ada.awareness.setLocalState({ user: { name: 'Ada' } })
  await Promise.all([online(ada), online(bob)])
  ada.awareness.setLocalStateField('cell', 'c1')
  await until(() => bob.awareness.getStates().get(ada.doc.clientID)?.cell === 'c1')
  server.crash()
  await until(() => !bob.awareness.getStates().has(ada.doc.clientID))
})
