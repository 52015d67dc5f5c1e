import { describe, expect, it, vi } from 'vitest'
import type { Rows } from '../../api/looking'
import { Blocks } from './blocks'
import { suggested } from './charts'
import { copiedCells, shownCell } from './formats'
import { HEIGHT, correlation, sketched, WIDTH } from './sketch'
import { boxHeight, columnsShown, placed, ROW, rowsShown, scrolled, START } from './scroll'

describe('scrolling', () => {
  const rows = 10_000_000
  const window = 600
  it('of a small table is the browser’s own', () => expect(scrolled(START, 280, 1000, window)).toEqual({ top: 280, base: 0 }))
  it('goes on by single pixels in a table that is taller than any box, wherever one is', () => {
    const middle = scrolled(START, boxHeight(rows) / 2, rows, window)
    const next = scrolled(middle, boxHeight(rows) / 2 + 3, rows, window)
    expect(next.top - middle.top).toBeCloseTo(3)
  })
  it('reaches both ends', () => {
    const far = scrolled(START, boxHeight(rows) / 3, rows, window)
    expect(scrolled(far, 0, rows, window).top).toBe(0)
    const end = scrolled(far, boxHeight(rows) - window, rows, window)
    expect(rowsShown(end, rows, window)[1]).toBe(rows)
  })
  it('to a row puts that row into the window, and the event that follows changes nothing', () => {
    for (const row of [0, 5, 123_456, 5_000_000, rows - 1]) {
      const { place, at } = placed(row * ROW, rows, window)
      const [from, to] = rowsShown(place, rows, window)
      expect(from <= row && row < to).toBe(true)
      expect(Math.abs(scrolled(place, at, rows, window).top - place.top)).toBeLessThan(window)
    }
  })
  it('finds the columns in the window', () => expect(columnsShown([100, 200, 300, 400], 150, 100)).toEqual([1, 3]))
})

describe('blocks', () => {
  const answer = (columns: readonly number[], offset: number, limit: number): Rows => ({
    offset, total: 1000, partial: false, took_ms: 1,
    names: Array.from({ length: limit }, (_, at) => [String(offset + at)]),
    cells: columns.map((column) => Array.from({ length: limit }, (_, at) => `${offset + at}:${column}`)),
  })
  it('are fetched when they are looked at, once', async () => {
    const fetch = vi.fn(async (columns: readonly number[], offset: number, limit: number) => answer(columns, offset, limit))
    const changed = vi.fn()
    const blocks = new Blocks(25, fetch, { changed, found: () => undefined, failed: (error) => { throw error }, left: () => undefined })
    blocks.look(0, 30, [0, 24])
    await vi.waitFor(() => expect(blocks.cell(7, 24)).toBe('7:24'))
    blocks.look(0, 30, [0, 24])
    await new Promise((done) => setTimeout(done, 60))
    expect(fetch.mock.calls.map(([columns, offset]) => [columns.length, offset])).toEqual([[20, 0], [5, 0]])
    expect(blocks.names(3)).toEqual(['3'])
    expect(blocks.cell(700, 0)).toBeUndefined()
  })
  it('that nobody looks at any more are not waited for', async () => {
    const signals: AbortSignal[] = []
    const askers = new Set<string>()
    const left = vi.fn()
    const blocks = new Blocks(1, (_columns, _offset, _limit, asker, signal) => new Promise((_, fail) => { askers.add(asker); signals.push(signal); signal.addEventListener('abort', () => fail(new Error('aborted'))) }), { changed: () => undefined, found: () => undefined, failed: (error) => { throw error }, left })
    blocks.look(0, 10, [0])
    blocks.look(5000, 5010, [0])
    await vi.waitFor(() => expect(signals).toHaveLength(2))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    blocks.close()
    expect(left.mock.calls).toEqual([[...askers]])
  })
})

describe('cells', () => {
  it('are numbers that fit, days without a time of midnight, and one line', () => {
    expect(shownCell('0.12345678901', 'number')).toBe('0.123457')
    expect(shownCell('0.00001234567', 'number')).toBe('1.2346e-5')
    expect(shownCell('12345678901234567890', 'number')).toBe('12345678901234567890')
    expect(shownCell('2024-01-02 00:00:00', 'time')).toBe('2024-01-02')
    expect(shownCell('two\nlines', 'text')).toBe('two lines')
    expect(shownCell(null, 'text')).toBe('')
  })
  it('are copied as other programs read them', () => {
    const head = [{ name: 'a,b', kind: 'text' }, { name: 'n', kind: 'number' }] as const
    const rows = [['say "x"\n|', '1'], [null, '2']]
    expect(copiedCells(head, rows, 'csv')).toBe('"a,b",n\n"say ""x""\n|",1\n,2')
    expect(copiedCells(head, rows, 'tsv')).toBe('a,b\tn\nsay "x" |\t1\n\t2')
    expect(copiedCells(head, rows, 'markdown')).toBe('| a,b | n |\n| --- | ---: |\n| say "x" \\| | 1 |\n|  | 2 |')
    expect(copiedCells([head[0]], [['alone']], 'tsv')).toBe('alone')
  })
})

describe('suggestions', () => {
  const column = (name: string, kind: 'number' | 'text' | 'time') => ({ name, kind, type: '' })
  const table = { kind: 'pandas.DataFrame', variable: 'df', libraries: ['matplotlib'], columns: [column('when', 'time'), column('a', 'number'), column('b"', 'number'), column('c', 'number'), column('g', 'text')] }
  it('are four to eight, and quote what they name', () => {
    const charts = suggested(table, [])
    expect(charts.length).toBeGreaterThanOrEqual(4)
    expect(charts.length).toBeLessThanOrEqual(8)
    expect(charts.map(({ sketch }) => sketch)).toEqual(expect.arrayContaining(['line', 'histogram', 'scatter', 'bars', 'box', 'heat']))
    expect(charts.find(({ sketch }) => sketch === 'scatter')?.code).toContain('y="b\\""')
  })
  it('keep to the columns that were chosen', () => expect(suggested(table, [4]).map(({ sketch, shows }) => [sketch, shows])).toEqual([['bars', [4]]]))
  it('are none where the table has no name, and read other libraries’ tables through pandas', () => {
    expect(suggested({ ...table, variable: null }, [])).toEqual([])
    expect(suggested({ ...table, kind: 'polars.DataFrame' }, [])[0]?.code).toMatch(/^data = df\.to_pandas\(\)/)
  })
})

describe('small pictures', () => {
  const numbers = Array.from({ length: 200 }, (_, at) => (at % 7 === 0 ? null : String(at)))
  const upset = ['nan', 'inf', '-inf', null, '', 'words', '1e400']
  const words = numbers.map((_, at) => (at % 3 === 0 ? 'a' : at % 3 === 1 ? 'b' : null))
  const days = numbers.map((_, at) => `2024-01-${String(1 + (at % 28)).padStart(2, '0')} 00:00:00`)
  const inside = (x: number, y: number) => x >= 0 && x <= WIDTH && y >= 0 && y <= HEIGHT
  const kinds = [
    ['histogram', [numbers]], ['bars', [words]], ['scatter', [numbers, numbers]], ['line', [days, numbers]], ['line', [numbers]],
    ['box', [words, numbers]], ['box', [numbers]], ['heat', [numbers, numbers, numbers]],
  ] as const
  it.each(kinds)('%s is drawn inside its frame', (sketch, columns) => {
    const marks = sketched(sketch, columns)
    expect(marks.length).toBeGreaterThan(0)
    for (const mark of marks) {
      if (mark.kind === 'line') expect(mark.points.every(([x, y]) => inside(x, y))).toBe(true)
      else if (mark.kind === 'dot') expect(inside(mark.x, mark.y)).toBe(true)
      else expect(inside(mark.x, mark.y) && inside(mark.x + mark.width, mark.y + mark.height)).toBe(true)
    }
  })
  it.each(kinds)('%s of what is empty or no number has no number that is none', (sketch, columns) => {
    for (const some of [[], upset, ['1'], ['1', '1']]) expect(JSON.stringify(sketched(sketch, columns.map(() => some)))).not.toContain('null')
  })
  it('say what goes together', () => {
    expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1)
    expect(correlation([1, 2, 3, Number.NaN], [3, 2, 1, 9])).toBeCloseTo(-1)
    expect(correlation([1, 1, 1], [1, 2, 3])).toBe(0)
  })
})
