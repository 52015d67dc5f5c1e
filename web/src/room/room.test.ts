import { afterEach, expect, test } from 'vitest'
import * as Y from 'yjs'
import { cellOf, insert, order, textOf } from '../model/notebook'
import { Room, type RoomEvents } from './room'
import { Browser, FakeServer, MemoryCopy, until } from './testing'

const open: Room[] = []
afterEach(() => {
  for (const room of open.splice(0)) room.close()
})

function join(server: FakeServer, { copy = new MemoryCopy(), user = 'u', events = {} }: { copy?: MemoryCopy; user?: string; events?: Partial<RoomEvents> } = {}): Room {
  const room = new Room({ url: 'ws://test', notebook: 'n', user, copy, socket: server.make, events: { replaced: () => undefined, refused: () => undefined, troubled: () => undefined, signedOut: () => undefined, build: () => undefined, outdated: () => undefined, ...events } })
  open.push(room)
  room.open()
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

/** A tab of this browser that has been online, and now is not. */
async function cutOff(server: FakeServer, browser: Browser): Promise<Room> {
  const room = join(server, { copy: new MemoryCopy(browser) })
  await online(room)
  server.crash()
  await until(() => room.state.getState().connection === 'offline')
  return room
}

test('edits of a tab that was closed offline are delivered by the next one under their own client id', async () => {
  const server = withOneCell()
  const browser = new Browser()
  const first = await cutOff(server, browser)
  type(first, 'c1', 'stranded ')
  first.close()
  server.down = false
  const second = join(server, { copy: new MemoryCopy(browser) })
  await online(second)
  await until(() => browser.unsent.size === 0)

  expect(server.source('c1')).toBe('stranded x = 1')
  expect(server.rejected).toEqual([])
})

test('a tab that is opened offline shows what the last one typed, and how many edits wait', async () => {
  const server = withOneCell()
  const browser = new Browser()
  const first = await cutOff(server, browser)
  type(first, 'c1', 'a')
  type(first, 'c1', 'b')
  first.close()
  const second = join(server, { copy: new MemoryCopy(browser) })
  await until(() => second.state.getState().ready)

  expect(read(second, 'c1')).toBe('bax = 1')
  expect(second.unsaved.getState()).toBe(2)
  expect(second.state.getState().may.has('write')).toBe(true)
})

test('a deletion made offline in a closed tab is not forgotten', async () => {
  const server = withOneCell()
  const browser = new Browser()
  const first = await cutOff(server, browser)
  textOf(cellOf(first.doc, 'c1')!).delete(0, 4)
  first.close()
  server.down = false
  await online(join(server, { copy: new MemoryCopy(browser) }))
  await until(() => server.source('c1') === '1')
})

test('tabs of one browser that type between each other’s words offline all come back, in either order', async () => {
  for (const first of [0, 1]) {
    const server = withOneCell()
    const browser = new Browser()
    const tabs = [join(server, { copy: new MemoryCopy(browser) }), join(server, { copy: new MemoryCopy(browser) })]
    await Promise.all(tabs.map(online))
    server.crash()
    await until(() => tabs.every((tab) => tab.state.getState().connection === 'offline'))
    for (let round = 0; round < 3; round++) {
      for (const tab of tabs) {
        const text = textOf(cellOf(tab.doc, 'c1')!)
        text.insert(Math.floor(text.length / 2), 'ab')
        await until(() => read(tabs[0]!, 'c1') === read(tabs[1]!, 'c1'))
      }
    }
    expect(tabs.map((tab) => tab.unsaved.getState())).toEqual([6, 6])
    const typed = read(tabs[0]!, 'c1')
    tabs[1 - first]!.close()
    server.down = false
    await online(tabs[first]!)
    await until(() => browser.unsent.size === 0)

    expect(server.source('c1')).toBe(typed)
    expect(server.rejected).toEqual([])
  }
})

test('a document with another epoch replaces the copy, and keeps apart what was not sent, with what it was based on', async () => {
  const server = withOneCell()
  const browser = new Browser()
  const first = await cutOff(server, browser)
  type(first, 'c1', 'mine ')
  first.close()
  server.epoch = 'second'
  server.down = false
  const replaced: string[] = []
  join(server, { copy: new MemoryCopy(browser), events: { replaced: (why) => replaced.push(why) } })
  await until(() => replaced.length === 1)

  expect(replaced).toEqual(['epoch'])
  expect([sourceIn(browser.aside[0]!.base), sourceIn(browser.aside[0]!.ours)]).toEqual(['x = 1', 'mine x = 1'])
  expect(browser.label).toBeNull()
})

test.each([
  ['refused', (server: FakeServer) => { server.refuses = true }],
  ['role', (server: FakeServer) => { server.may = ['read'] }],
] as const)('what the server will not have is kept for the person: %s', async (why, change) => {
  const server = withOneCell()
  const browser = new Browser()
  const replaced: string[] = []
  const room = join(server, { copy: new MemoryCopy(browser), events: { replaced: (reason) => replaced.push(reason) } })
  await online(room)
  server.crash()
  await until(() => room.state.getState().connection === 'offline')
  type(room, 'c1', 'mine ')
  change(server)
  server.down = false
  await until(() => replaced.length === 1)

  expect(replaced).toEqual([why])
  expect(sourceIn(browser.aside[0]!.ours)).toBe('mine x = 1')
})

test('a notebook that is gone leaves what was typed in it', async () => {
  const server = withOneCell()
  const browser = new Browser()
  const room = await cutOff(server, browser)
  type(room, 'c1', 'mine ')
  server.gone = true
  server.down = false
  await until(() => room.state.getState().connection === 'ended' && room.state.getState().aside)

  expect(browser.aside[0]).toMatchObject({ why: 'gone', edits: 1 })
})

function sourceIn(update: Uint8Array): string {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return String(cellOf(doc, 'c1')?.get('source'))
}

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

test('nothing is handed over in the name of somebody else who has signed in', async () => {
  const server = withOneCell()
  const browser = new Browser()
  const first = await cutOff(server, browser)
  type(first, 'c1', 'mine ')
  first.close()
  server.down = false
  let out = 0
  join(server, { copy: new MemoryCopy(browser), user: 'somebody else', events: { signedOut: () => out++ } })
  await until(() => out === 1)

  expect(server.source('c1')).toBe('x = 1')
  expect(browser.unsent.size).toBe(1)
})
