/** Going offline, loading the page again and coming back, in every order. */
import { expect, test } from 'vitest'
import { cellOf, insert, move, order, remove, textOf } from '../model/notebook'
import { seeded } from '../testing/seeded'
import { Link, type Socket } from './link'
import { Room } from './room'
import { Browser, FakeServer, MemoryCopy, Network, until } from './testing'

class Person {
  readonly network = new Network()
  readonly refused: string[] = []
  tab: Room

  constructor(
    private readonly server: FakeServer,
    private readonly browser: Browser,
  ) {
    this.tab = this.open()
  }

  reload(): void {
    this.tab.close()
    this.tab = this.open()
  }

  private open(): Room {
    const events = { replaced: (why: string) => this.refused.push(why), refused: (why: string) => this.refused.push(why), troubled: () => undefined, signedOut: () => undefined, build: () => undefined, outdated: () => undefined }
    const room = new Room({ url: 'ws://test', notebook: 'n', copy: new MemoryCopy(this.browser), socket: this.server.through(this.network), events })
    room.open()
    return room
  }

  edit(chance: () => number): void {
    const { doc } = this.tab
    const ids = order(doc)
    const id = ids[Math.floor(chance() * ids.length)]
    if (id === undefined) return
    const text = textOf(cellOf(doc, id)!)
    const what = chance()
    if (what < 0.55) text.insert(Math.floor(chance() * (text.length + 1)), 'abcdef'.slice(0, 1 + Math.floor(chance() * 5)))
    else if (what < 0.75 && text.length > 0) text.delete(Math.floor(chance() * text.length), 1)
    else if (what < 0.85) insert(doc, id, [{ type: 'code', source: 'new' }], 'u')
    else if (what < 0.93) move(doc, [id], chance() < 0.5 ? 1 : -1)
    else if (ids.length > 2) remove(doc, [id], 'u')
  }
}

const content = (room: Room | FakeServer) => order(room.doc).map((id) => [id, textOf(cellOf(room.doc, id)!).toString()])

const LONG = process.env.COLLEGIUM_LONG !== undefined
test.each(Array.from({ length: LONG ? 60 : 6 }, (_, seed) => seed + 1))('two tabs of one browser and a colleague end equal, whoever was away when (seed %i)', async (seed) => {
  const chance = seeded(seed)
  const server = new FakeServer()
  for (const [at, id] of ['c1', 'c2', 'c3'].entries()) server.addCell(id, `${id} = 1`, `V${at + 1}`)
  const shared = new Browser()
  const people = [new Person(server, shared), new Person(server, shared), new Person(server, new Browser())]
  await Promise.all(people.map(({ tab }) => until(() => tab.state.getState().connection === 'online')))
  for (let step = 0; step < (LONG ? 400 : 60); step++) {
    const person = people[Math.floor(chance() * people.length)]!
    const what = chance()
    if (what < 0.75) person.edit(chance)
    else if (what < 0.85) person.network.cut()
    else if (what < 0.92) {
      person.network.up = true
      person.tab.hurry()
    } else {
      person.reload()
      await until(() => person.tab.state.getState().ready)
    }
    if (chance() < 0.3) await new Promise((next) => setTimeout(next))
  }
  for (const { network, tab } of people) {
    network.up = true
    tab.hurry()
  }
  const settled = () => people.every(({ tab }) => tab.state.getState().connection === 'online' && tab.unsaved.getState() === 0)
  await until(() => settled() && people.every(({ tab }) => JSON.stringify(content(tab)) === JSON.stringify(content(server))))

  expect(people.flatMap(({ refused }) => refused)).toEqual([])
  expect(server.rejected).toEqual([])
  expect(shared.unsent.size).toBe(0)
  for (const { tab } of people) tab.close()
}, 30_000)

test('a thousand tabs of a restarted server do not come back at once', () => {
  const waits: number[] = []
  const real = globalThis.setTimeout
  const chance = seeded(7)
  const random = Math.random
  Math.random = chance
  globalThis.setTimeout = ((_: () => void, wait: number) => waits.push(wait)) as never
  try {
    for (let tab = 0; tab < 1000; tab++) {
      let socket: Socket | null = null
      const link = new Link('ws://test', { opened: () => undefined, text: () => undefined, bytes: () => undefined, closed: () => 'again' }, () => (socket = { binaryType: '', readyState: 0, onopen: null, onmessage: null, onclose: null, send: () => undefined, close: () => undefined }))
      // Refused while the server starts, four times; the fifth try may succeed.
      for (let tries = 0; tries < 5; tries++) {
        link.open()
        socket!.onclose!({ code: 1006, reason: '' } as never)
      }
      link.close()
    }
  } finally {
    globalThis.setTimeout = real
    Math.random = random
  }
  // Two timers for each try: one that gives the connection up, and the wait before the next.
  const last = waits.filter((_, at) => at % 10 === 9)
  const perTenth = Array.from({ length: 32 }, (_, at) => last.filter((wait) => Math.floor(wait / 100) === at).length)

  expect(last).toHaveLength(1000)
  expect(Math.max(...last)).toBeLessThanOrEqual(3200)
  expect(Math.max(...perTenth)).toBeLessThan(60)
  expect(Math.min(...perTenth)).toBeGreaterThan(10)
})
