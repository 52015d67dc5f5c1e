import { describe, expect, test } from 'vitest'
import { findIn, patternOf, type Query, templateOf } from './query'
import { searched } from './search'

const query = (text: string, more: Partial<Query> = {}): Query => ({ text, regex: false, matchCase: false, wholeWord: false, ...more })
const words = (text: string, asked: Query) => findIn(text, patternOf(asked), null).map(({ from, to }) => text.slice(from, to))
const replaced = (text: string, asked: Query, by: string) => {
  const found = findIn(text, patternOf(asked), templateOf(by, asked.regex))
  return found.reduceRight((now, { from, to, instead }) => now.slice(0, from) + instead + now.slice(to), text)
}

describe('finding', () => {
  test('as it stands, whatever its signs mean in a pattern', () => {
    expect(words('a.b(c)[d] a-b', query('.b(c)['))).toEqual(['.b(c)['])
    expect(words('1 + 1 = 2\\n', query('\\n'))).toEqual(['\\n'])
  })

  test('in either case, or in this one', () => {
    expect(words('Ärger ärger', query('ÄRGER'))).toEqual(['Ärger', 'ärger'])
    expect(words('Data data', query('data', { matchCase: true }))).toEqual(['data'])
  })

  test('whole words, in every alphabet', () => {
    expect(words('x max x1 _x été x', query('x', { wholeWord: true }))).toEqual(['x', 'x'])
    expect(words('été étés', query('été', { wholeWord: true }))).toEqual(['été'])
    expect(words('a.b ab', query('a.b', { wholeWord: true, regex: true }))).toEqual(['a.b'])
    expect(words('ab b', query('a|b', { wholeWord: true, regex: true }))).toEqual(['b'])
  })

  test('by a pattern, line by line and across lines', () => {
    expect(words('def f():\n  pass\ndef g():', query('^def \\w', { regex: true }))).toEqual(['def f', 'def g'])
    expect(words('a\nb', query('a\\nb', { regex: true }))).toEqual(['a\nb'])
    expect(words('a-b', query('a\\-b', { regex: true }))).toEqual(['a-b'])
  })

  test('nothing that is empty, and nothing that parts a character', () => {
    expect(words('aaa', query('b*', { regex: true }))).toEqual([])
    expect(words('🙂', query('\\ud83d(?=\\-|.)', { regex: true }))).toEqual([])
  })

  test.each(['(', '[a', '*', '(?<n>a)(?<n>b)', 'a{2,1}'])('%s is no pattern', (text) => {
    expect(() => patternOf(query(text, { regex: true }))).toThrow(SyntaxError)
    expect(() => patternOf(query(text, { regex: true, wholeWord: true }))).toThrow(SyntaxError)
  })

  test('stops in time', () => {
    const { found, capped } = searched({ query: query('a'), texts: [['one', 'a'.repeat(30_000)], ['two', 'a']], replacement: null })

    expect(capped).toBe(true)
    expect(found.get('one')?.length).toBe(20_000)
    expect(found.has('two')).toBe(false)
  })
})

describe('replacing', () => {
  test('by what stands there, when it is no pattern', () => {
    expect(replaced('cost', query('cost'), '$1 \\n $&')).toBe('$1 \\n $&')
  })

  test.each([
    ['(\\w+) (\\w+)', '$2 $1', 'b a'],
    ['(?<first>\\w+) ', '$<first>-', 'a-b'],
    ['b', '[$&]', 'a [b]'],
    ['(a)', '$10', 'a0 b'],
    ['a', '$1', '$1 b'],
    ['a', '$$', '$ b'],
    [' ', '\\n\\t\\\\', 'a\n\t\\b'],
    ['(x)?a', '<$1>', '<> b'],
  ])('%s by %s', (text, by, expected) => {
    expect(replaced('a b', query(text, { regex: true }), by)).toBe(expected)
  })

  test('looks at what stands around', () => {
    expect(replaced('ab cb', query('(?<=a)b', { regex: true }), 'X')).toBe('aX cb')
  })
})
