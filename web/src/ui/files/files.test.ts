import { describe, expect, test } from 'vitest'
import { ApiError } from '../../api/client'
import type { Entry, EntryKind, Folder } from '../../api/inside'
import { plan, tops } from './dropped'
import { freeName, lineEnds, misnamed, moved, parentOf, shown, sortOf, textIn, within } from './paths'
import { tableOf } from './TableFile'
import { carry, type Line, Transfers } from './transfer'
import { moveIn, rowsOf, Tree, typedAhead } from './tree'

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('a path', () => {
  test('lies within its folder, and moves with it', () => {
    expect(within('/content/a/b', '/content/a')).toBe(true)
    expect(within('/content/ab', '/content/a')).toBe(false)
    expect(within('/etc', '/')).toBe(true)
    expect(moved('/content/a/b', '/content/a', '/content/c')).toBe('/content/c/b')
    expect(moved('/content/ab', '/content/a', '/content/c')).toBe('/content/ab')
    expect([parentOf('/content'), parentOf('/content/a')]).toEqual(['/', '/content'])
  })

  test('keeps its ending when both files are kept', () => {
    expect(freeName('data.csv', new Set(['data.csv', 'data (1).csv']))).toBe('data (2).csv')
    expect(freeName('code.tar.gz', new Set(['code.tar.gz']))).toBe('code (1).tar.gz')
    expect(freeName('.bashrc', new Set(['.bashrc']))).toBe('.bashrc (1)')
    expect(freeName('folder', new Set())).toBe('folder')
  })

  test('has a name that a folder can hold', () => {
    expect(['', '.', '..', 'a/b', 'a\0', 'é'.repeat(128)].map((name) => misnamed(name) !== null)).toEqual([true, true, true, true, true, true])
    expect(['a', '...', 'é'.repeat(127), '<b>'].map(misnamed)).toEqual([null, null, null, null])
  })

  test('of a stranger shows what it hides, and leaves emoji whole', () => {
    expect(shown('a\u202etxt.exe\n')).toBe('a\ufffdtxt.exe\ufffd')
    expect(shown('👩‍🚀.txt')).toBe('👩‍🚀.txt')
  })
})

test('a file is shown by its ending, and as text only if it is text', () => {
  expect(['a.CSV', 'b.png', 'c.ipynb', 'd', '.png', 'e.py', 'f.pdf'].map(sortOf)).toEqual(['table', 'image', 'json', 'text', 'text', 'text', 'none'])
  expect(textIn(utf8('ä€'), true)).toBe('ä€')
  expect(textIn(utf8('\ufeffa'), true)).toBe('\ufeffa')
  expect(textIn(utf8('ä€').slice(0, 3), false)).toBe('ä')
  expect(textIn(utf8('ä€').slice(0, 3), true)).toBeNull()
  expect(textIn(new Uint8Array([65, 0]), true)).toBeNull()
})

test('line ends are kept when all are alike, and left alone when they are not', () => {
  expect(['a\r\nb\r\n', 'a\nb', 'a\r\nb\n', 'a\r\nb\rc\r\n', ''].map(lineEnds)).toEqual(['\r\n', '\n', '\n', '\n', '\n'])
})

const entry = (name: string, kind: EntryKind = 'file'): Entry => ({ name, kind, size: 1, modified_ms: 0 })

class Disk {
  readonly folders = new Map<string, Entry[]>([
    ['/content', [entry('b10.txt'), entry('b9.txt'), entry('z', 'directory'), entry('a.txt')]],
    ['/content/z', [entry('inner', 'directory'), entry('one.py')]],
    ['/content/z/inner', []],
    ['/', [entry('content', 'directory'), entry('etc', 'directory')]],
  ])
  readonly list = (path: string): Promise<Folder> => {
    const entries = this.folders.get(path)
    return entries ? Promise.resolve({ path, entries, truncated: false }) : Promise.reject(new ApiError(404, 'not_found', 'Not there.'))
  }
}

const names = (tree: Tree) => rowsOf(tree.state.getState()).map((row) => `${'  '.repeat(row.depth - 1)}${row.is === 'entry' ? row.entry.name : row.note}`)

describe('the tree', () => {
  test('puts folders first, names in the order people count, and opens folder by folder', async () => {
    const tree = new Tree(new Disk().list)
    tree.show('/content')
    expect(names(tree)).toEqual(['loading'])
    await tree.load('/content')
    expect(names(tree)).toEqual(['z', 'a.txt', 'b9.txt', 'b10.txt'])
    await tree.expand('/content/z')
    await tree.expand('/content/z/inner')

    expect(names(tree)).toEqual(['z', '  inner', '    empty', '  one.py', 'a.txt', 'b9.txt', 'b10.txt'])
  })

  test('shows the whole machine with the home folder open', async () => {
    const tree = new Tree(new Disk().list)
    tree.show('/')
    await tree.refresh()

    expect(names(tree)).toEqual(['content', '  z', '  a.txt', '  b9.txt', '  b10.txt', 'etc'])
  })

  test('forgets a folder that is gone, and says why one cannot be read', async () => {
    const disk = new Disk()
    const tree = new Tree(disk.list)
    tree.show('/content')
    await tree.expand('/content/z')
    disk.folders.delete('/content/z')
    disk.folders.set('/content', [entry('a.txt')])
    await tree.refresh()
    expect(names(tree)).toEqual(['a.txt'])
    disk.folders.delete('/content')
    await tree.refresh()

    expect(rowsOf(tree.state.getState())).toEqual([{ is: 'note', path: '/content', depth: 1, note: 'error', error: 'Not there.' }])
  })

  test('hides what begins with a dot until it is asked for, and unfinished uploads always', async () => {
    const disk = new Disk()
    disk.folders.set('/content', [entry('.env'), entry('.big.bin.0a.7.b1.collegium-upload'), entry('.config', 'directory')])
    const tree = new Tree(disk.list)
    await tree.load('/content')
    expect(names(tree)).toEqual(['empty'])
    tree.showDotted(true)

    expect(names(tree)).toEqual(['.config', '.env'])
  })

  test('an answer that was overtaken is not shown', async () => {
    const answers: ((folder: Folder) => void)[] = []
    const tree = new Tree(() => new Promise((resolve) => answers.push(resolve)))
    const first = tree.load('/content')
    const second = tree.load('/content')
    answers[1]!({ path: '/content', entries: [entry('new')], truncated: false })
    answers[0]!({ path: '/content', entries: [entry('old')], truncated: false })
    await Promise.all([first, second])

    expect(names(tree)).toEqual(['new'])
  })

  test('follows the keys of a tree', async () => {
    const tree = new Tree(new Disk().list)
    tree.show('/content')
    await tree.load('/content')
    const move = (how: Parameters<typeof moveIn>[2], from: string | null) => moveIn(rowsOf(tree.state.getState()), from, how)

    expect(move('down', null)).toEqual({ focus: '/content/z' })
    expect(move('in', '/content/z')).toEqual({ toggle: '/content/z' })
    await tree.expand('/content/z')
    expect(move('in', '/content/z')).toEqual({ focus: '/content/z/inner' })
    expect(move('out', '/content/z/one.py')).toEqual({ focus: '/content/z' })
    expect(move('out', '/content/z')).toEqual({ toggle: '/content/z' })
    expect(move('last', '/content/z')).toEqual({ focus: '/content/b10.txt' })
    expect(move('up', '/content/z')).toBeNull()
    expect(move('out', '/content/a.txt')).toBeNull()
    expect(typedAhead(rowsOf(tree.state.getState()), '/content/b9.txt', 'b')).toBe('/content/b10.txt')
    expect(typedAhead(rowsOf(tree.state.getState()), '/content/b10.txt', 'b9')).toBe('/content/b9.txt')
  })

  test('what is moved stays open, and after a removal the neighbour has the focus', async () => {
    const tree = new Tree(new Disk().list)
    tree.show('/content')
    await tree.load('/content')
    await tree.expand('/content/z')
    tree.focus('/content/z/one.py')
    tree.moved('/content/z', '/content/y')
    expect(tree.state.getState()).toMatchObject({ open: new Set(['/content/y']), focused: '/content/y/one.py' })
    tree.moved('/content/y', '/content/z')
    tree.removed('/content/z')

    expect(tree.state.getState().focused).toBe('/content/a.txt')
    expect(names(tree)).toEqual(['a.txt', 'b9.txt', 'b10.txt'])
  })
})

/** A runtime that takes pieces, and fails as it is told to. */
class Shore implements Line {
  bytes = new Uint8Array()
  failing: (Error | null)[] = []
  asked = 0

  async send(offset: number, _total: number, piece: Blob): Promise<number> {
    const failure = this.failing.shift()
    if (failure) throw failure
    if (offset !== this.bytes.length && offset !== 0) throw new ApiError(409, 'conflict', 'Out of turn.')
    const joined = new Uint8Array([...this.bytes.slice(0, offset), ...new Uint8Array(await piece.arrayBuffer())])
    this.bytes = joined
    return joined.length
  }

  received(): Promise<number> {
    this.asked += 1
    return Promise.resolve(this.bytes.length)
  }
}

const content = Uint8Array.from({ length: 700_000 }, (_, at) => (at * 7) % 251)
const quiet = { sent: () => {}, paused: () => {}, rest: () => Promise.resolve() }
const offline = () => new ApiError(0, 'offline', 'Cut.')

describe('an upload', () => {
  test('arrives whole, in pieces, and so does an empty one', async () => {
    const shore = new Shore()
    const sent: number[] = []
    await carry(new Blob([content]), shore, { ...quiet, sent: (bytes) => sent.push(bytes) }, new AbortController().signal)
    expect(shore.bytes).toEqual(content)
    expect(sent.length).toBeGreaterThan(1)
    expect(sent.at(-1)).toBe(content.length)
    const empty = new Shore()
    await carry(new Blob([]), empty, quiet, new AbortController().signal)

    expect(empty.bytes).toHaveLength(0)
  })

  test('waits when the connection is cut, and goes on where it was', async () => {
    const shore = new Shore()
    const paused: boolean[] = []
    shore.failing = [null, offline(), offline(), new ApiError(503, 'unavailable', 'Starting.')]
    await carry(new Blob([content]), shore, { ...quiet, paused: (now) => paused.push(now) }, new AbortController().signal)

    expect(shore.bytes).toEqual(content)
    expect(shore.asked).toBe(3)
    expect(paused).toContain(true)
    expect(paused.at(-1)).toBe(false)
  })

  test('fails at once when it is refused, and in the end when nothing helps', async () => {
    const full = new Shore()
    full.failing = [new ApiError(507, 'storage_full', 'The disk is full.')]
    await expect(carry(new Blob([content]), full, quiet, new AbortController().signal)).rejects.toThrow('The disk is full.')
    const broken = new Shore()
    broken.failing = Array.from({ length: 20 }, () => new ApiError(500, 'error', 'Broken.'))

    await expect(carry(new Blob([content]), broken, quiet, new AbortController().signal)).rejects.toThrow('Broken.')
  })

  test('is one of a few at a time; each can be cancelled and tried again', async () => {
    const shores = new Map<string, Shore>()
    const held: (() => void)[] = []
    const arrived: string[] = []
    const lineTo = (path: string): Line => {
      const shore = shores.get(path) ?? new Shore()
      shores.set(path, shore)
      return {
        received: () => shore.received(),
        send: (offset, total, piece, signal) =>
          new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => reject(new ApiError(0, 'cancelled', 'Cancelled.')))
            held.push(() => void shore.send(offset, total, piece).then(resolve, reject))
          }),
      }
    }
    const transfers = new Transfers(lineTo, (path) => arrived.push(path), () => Promise.resolve())
    const settled = (states: string[]) => expect.poll(() => transfers.snapshot().map(({ state }) => state)).toEqual(states)
    transfers.add(['a', 'b', 'c', 'd'].map((name) => ({ name, path: `/content/${name}`, file: new Blob(['x']) })))
    await expect.poll(() => held.length).toBe(3)
    await settled(['sending', 'sending', 'sending', 'waiting'])
    transfers.cancel(2)
    transfers.cancel(4)
    await settled(['sending', 'cancelled', 'sending', 'cancelled'])
    for (const go of held.splice(0)) go()
    await settled(['done', 'cancelled', 'done', 'cancelled'])
    transfers.retry(2)
    await expect.poll(() => held.length).toBe(1)
    held.splice(0)[0]!()
    await settled(['done', 'done', 'done', 'cancelled'])

    expect(arrived).toEqual(['/content/a', '/content/c', '/content/b'])
    transfers.clear()
    expect(transfers.snapshot()).toEqual([])
  })
})

describe('a table', () => {
  test('is read from what people call CSV: quotes, semicolons, short lines', () => {
    expect(tableOf('a,b\n"1,5","x\ny"\n2\n', false, true)).toEqual({ head: ['a', 'b'], rows: [['1,5', 'x\ny'], ['2']], more: false, columnsLeftOut: 0 })
    expect(tableOf('a;b\r\n1;2\r\n', false, true).rows).toEqual([['1', '2']])
    expect(tableOf('a\tb,c\n1\t2', true, true)).toMatchObject({ head: ['a', 'b,c'], rows: [['1', '2']] })
    expect(tableOf('', false, true)).toEqual({ head: [], rows: [], more: false, columnsLeftOut: 0 })
  })

  test('shows its beginning only, and no half line of a text that was cut', () => {
    const many = tableOf(`n\n${Array.from({ length: 3000 }, (_, at) => at).join('\n')}`, false, true)
    expect([many.rows.length, many.more, many.rows.at(-1)]).toEqual([1000, true, ['999']])
    expect(tableOf('a,b\n1,2\n3,', false, false)).toMatchObject({ rows: [['1', '2']], more: true })
    const wide = tableOf(Array.from({ length: 150 }, (_, at) => at).join(','), false, true)
    expect([wide.head.length, wide.columnsLeftOut]).toEqual([100, 50])
  })
})

describe('what was dropped', () => {
  const file = (name: string) => new File(['x'], name)

  test('goes where it belongs, in folders that are made first', () => {
    const dropped = [{ name: 'a.txt', file: file('a.txt') }, { name: 'data/x/1.csv', file: file('1.csv') }, { name: 'data/empty', file: null }]
    expect([...tops(dropped)]).toEqual([['a.txt', 'file'], ['data', 'directory']])
    const { folders, sendings } = plan(dropped, '/content', new Map([['a.txt', 'a (1).txt'], ['data', 'data']]))

    expect(folders).toEqual(['/content/data', '/content/data/x', '/content/data/empty'])
    expect(sendings.map(({ path }) => path)).toEqual(['/content/a (1).txt', '/content/data/x/1.csv'])
  })

  test('stays at home when the person says so, or when it has no name that could be kept', () => {
    const { folders, sendings } = plan([{ name: 'a', file: file('a') }, { name: 'b/../c', file: file('c') }], '/content', new Map([['a', null], ['b', 'b']]))

    expect([folders, sendings]).toEqual([[], []])
  })
})
