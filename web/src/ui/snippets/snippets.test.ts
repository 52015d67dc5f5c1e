import { pythonLanguage } from '@codemirror/lang-python'
import { describe, expect, test } from 'vitest'
import { found, SNIPPETS } from './snippets'

describe('every snippet', () => {
  test.each(SNIPPETS.map((snippet) => [snippet.name, snippet] as const))('%s', (_name, { source, words }) => {
    // Lines of the shell and of magics are IPython's, not Python's.
    const plain = source.replace(/^(?:!|%).*$/gm, 'pass')
    const errors: number[] = []
    pythonLanguage.parser.parse(plain).iterate({ enter: (node) => void (node.type.isError && errors.push(node.from)) })

    expect(errors.map((at) => plain.slice(at, at + 20))).toEqual([])
    expect(source).not.toMatch(/ $|\t/m)
    expect(words).toMatch(/\w/)
  })

  test('has a name of its own', () => {
    expect(new Set(SNIPPETS.map(({ name }) => name)).size).toBe(SNIPPETS.length)
  })
})

test('all words must be found, in any order', () => {
  expect(found('SQL table').map(({ name }) => name)).toContain('Ask tables with SQL')
  expect(found('no such thing at all')).toEqual([])
  expect(found('  ')).toHaveLength(SNIPPETS.length)
})
