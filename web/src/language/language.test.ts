import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { cellOf, convert, insert, move, order, remove, textOf } from '../model/notebook'
import type { Socket } from '../room/link'
import { Outline } from '../room/outline'
import { dice } from '../testing/seeded'
import { Language } from './language'

/** The other end, which keeps a notebook as the protocol says. */
class Server implements Socket {
  binaryType = ''
  readyState = 1
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  cells: string[] = []
  readonly texts = new Map<string, string>()
  readonly asked: { readonly id: number; readonly method: string; readonly params: unknown }[] = []

  tell(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) } as never)
  }

  send(data: string | Uint8Array): void {
    const { id, method, params } = JSON.parse(data as string)
    if (id !== undefined) this.asked.push({ id, method, params })
    if (method === 'notebookDocument/didOpen') {
      this.cells = params.notebookDocument.cells.map((one: { document: string }) => one.document)
      for (const { uri, text } of params.cellTextDocuments) this.texts.set(uri, text)
    }
    const { structure, textContent = [] } = method === 'notebookDocument/didChange' ? params.change.cells : {}
    if (structure) {
      for (const { uri, text } of structure.didOpen) this.texts.set(uri, text)
      for (const { uri } of structure.didClose) this.texts.delete(uri)
      this.cells.splice(structure.array.start, structure.array.deleteCount, ...structure.array.cells.map((one: { document: string }) => one.document))
    }
    for (const { document, changes } of textContent) this.texts.set(document.uri, changes[0].text)
  }

  close(): void {
    this.end(1000)
  }

  end(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code } as never)
  }

  get notebook(): (string | undefined)[] {
    return this.cells.map((uri) => this.texts.get(uri))
  }
}

let doc: Y.Doc
let servers: Server[]
let gaveUp: number
let language: Language

function open(...sources: string[]): Server {
  doc = new Y.Doc()
  insert(doc, null, sources.map((source) => ({ type: 'code' as const, source })), 'u1')
  language = new Language('ws://x', doc, new Outline(doc), () => gaveUp++, () => {
    servers.push(new Server())
    return servers.at(-1)!
  })
  void language.need()
  servers[0]!.tell({ type: 'opened', name: 'abc' })
  return servers[0]!
}

const text = (at: number) => textOf(cellOf(doc, order(doc)[at]!)!)
const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } }

beforeEach(() => {
  vi.useFakeTimers()
  servers = []
  gaveUp = 0
})
afterEach(() => {
  language.close()
  vi.useRealTimers()
})

test('the server has the notebook as it is, whatever is done to it', () => {
  const server = open('a', 'b', 'c')
  const random = dice(11)
  for (let step = 0; step < 300; step++) {
    const ids = order(doc)
    const id = ids[random(ids.length)]
    switch (random(6)) {
      case 0: insert(doc, id ?? null, [{ type: 'code', source: `new ${step}` }], 'u1'); break
      case 1: if (ids.length > 2) remove(doc, [id!], 'u1'); break
      case 2: move(doc, [id!], random(2) === 0 ? 1 : -1); break
      case 3: convert(doc, [id!], random(2) === 0 ? 'code' : 'markdown'); break
      default: textOf(cellOf(doc, id!)!).insert(0, `${step}𝒳\n`)
    }
    if (random(3) > 0) continue
    vi.advanceTimersByTime(1000)
    const wanted = order(doc).flatMap((one) => (cellOf(doc, one)!.get('t') === 'code' ? [textOf(cellOf(doc, one)!).toString()] : []))
    expect(server.notebook, `step ${step}`).toEqual(wanted)
    expect(server.texts.size, `step ${step}`).toBe(wanted.length)
  }
})

test('what is written fast is told once, and at once when something is asked', async () => {
  const server = open('x')
  const send = vi.spyOn(server, 'send')
  for (const letter of 'abc') text(0).insert(text(0).length, letter)
  expect(send).not.toHaveBeenCalled()

  const answer = language.hover(order(doc)[0]!, { line: 0, character: 1 })
  await vi.advanceTimersByTimeAsync(0)
  expect(server.notebook).toEqual(['xabc'])
  server.tell({ id: server.asked[0]!.id, result: { contents: 'known' } })

  expect(await answer).toBe('known')
  expect(send).toHaveBeenCalledTimes(2)
})

test('problems are those of this notebook, at the level that is wanted', () => {
  const server = open('x = = 1', 'y')
  const [first] = order(doc)
  const found = [{ range, severity: 1, code: 'invalid-syntax', message: 'no' }, { range, severity: 1, code: 'invalid-assignment', message: 'no' }]
  server.tell({ method: 'textDocument/publishDiagnostics', params: { uri: server.cells[0], diagnostics: found } })
  for (const uri of ['file:///etc/passwd', 'notebook-cell:/abc/%', 'notebook-cell:/other/x']) server.tell({ method: 'textDocument/publishDiagnostics', params: { uri, diagnostics: found } })
  vi.advanceTimersByTime(100)

  expect([...language.problems.getState().keys()]).toEqual([first])
  expect([language.shown(first!, 'off'), language.shown(first!, 'syntax'), language.shown(first!, 'types')].map(({ length }) => length)).toEqual([0, 1, 2])
})

test('garbage is not heard', () => {
  const server = open('x')
  for (const data of ['', '{', '[]', 'null', '7', '{"method":"textDocument/publishDiagnostics"}', '{"id":99,"result":1}', `{"x":${'['.repeat(1000)}${']'.repeat(1000)}}`]) server.tell(data)

  expect(language.isReady).toBe(true)
})

test('one that ends is asked for again, ever later, and given up with a word in the end', async () => {
  open('x')
  for (let end = 1; end <= 4; end++) {
    servers.at(-1)!.tell({ type: 'ended', why: 'died' })
    servers.at(-1)!.end(1000)
    expect(await language.need()).toBe(false)
    await vi.advanceTimersByTimeAsync(70_000)
    const again = language.need()
    servers.at(-1)!.tell({ type: 'opened', name: 'abc' })
    expect(await again).toBe(end < 4)
  }

  expect(gaveUp).toBe(1)
  expect(servers).toHaveLength(4)
})

test('one that was idle is back when it is needed, and no end is counted', async () => {
  open('x')
  for (let end = 0; end < 9; end++) {
    servers.at(-1)!.tell({ type: 'ended', why: 'idle' })
    servers.at(-1)!.end(1000)
    const again = language.need()
    servers.at(-1)!.tell({ type: 'opened', name: 'abc' })
    expect(await again).toBe(true)
  }

  expect(gaveUp).toBe(0)
})

test('where there is none nobody is told, and nobody asks again', async () => {
  open('x')
  servers[0]!.end(4404)
  await vi.advanceTimersByTimeAsync(700_000)

  expect(await language.need()).toBe(false)
  expect([servers.length, gaveUp]).toEqual([1, 0])
})

test('a notebook that is too large is left alone', async () => {
  open('x'.repeat(4_000_000))

  expect(await language.need()).toBe(false)
  expect(servers[0]!.cells).toEqual([])
})

test('an edit that reaches beyond the notebook is none', async () => {
  const server = open('x')
  const renamed = language.rename(order(doc)[0]!, range.start, 'y')
  await vi.advanceTimersByTimeAsync(0)
  const edits = [{ range, newText: 'y' }]
  server.tell({ id: server.asked[0]!.id, result: { changes: { [server.cells[0]!]: edits, 'file:///content/other.py': edits } } })

  expect((await renamed).size).toBe(0)
})
