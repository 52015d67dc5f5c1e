import { describe, expect, test } from 'vitest'
import { folded, piecesOf } from './traceback'

const MODERN = [
  '\x1b[31m---------------------------------------------------------------------------\x1b[39m',
  '\x1b[31mZeroDivisionError\x1b[39m                         Traceback (most recent call last)',
  '\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line 5\x1b[39m',
  '      \x1b[32m4\x1b[39m def f():',
  '----> \x1b[32m5\x1b[39m     json.loads(x)',
  '',
  'File \x1b[32m/usr/lib/python3.11/json/__init__.py:346\x1b[39m, in loads(s)',
  '--> 346 return _default_decoder.decode(s)',
  '',
  'File \x1b[32m/usr/lib/python3.11/json/decoder.py:337\x1b[39m, in decode(s)',
  '--> 337 obj, end = self.raw_decode(s)',
  '',
  'File \x1b[32m/content/helper.py:12\x1b[39m, in g()',
  '---> 12 1/0',
  '',
  '\x1b[31mZeroDivisionError\x1b[39m: division by zero',
].join('\n')

describe('a traceback', () => {
  test('is its frames, with the place of each', () => {
    const places = piecesOf(MODERN).map(({ place, library }) => [place?.at ?? null, library])

    expect(places).toEqual([
      [null, false],
      [{ kind: 'cell', count: 3, line: 5 }, false],
      [{ kind: 'file', path: '/usr/lib/python3.11/json/__init__.py', line: 346 }, true],
      [{ kind: 'file', path: '/usr/lib/python3.11/json/decoder.py', line: 337 }, true],
      [{ kind: 'file', path: '/content/helper.py', line: 12 }, false],
    ])
  })

  test('loses nothing', () => {
    expect(piecesOf(MODERN).map(({ text }) => text).join('\n')).toBe(MODERN)
  })

  test('folds what is in libraries, and never its end', () => {
    expect(folded(piecesOf(MODERN)).map((group) => group.length)).toEqual([1, 1, 2, 1])
    const ends = folded(piecesOf('Cell In[1], line 1\nFile /x/site-packages/a.py:1, in f()\nFile /x/site-packages/b.py:2, in g()\nValueError: no'))
    expect(ends.map((group) => group.length)).toEqual([1, 1, 1])
  })

  test.each([
    ['  Cell In[12], line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax', { kind: 'cell', count: 12, line: 1 }],
    ['Input In [4], in <cell line: 2>()\n      1 x\n----> 2 y', { kind: 'cell', count: 4, line: 2 }],
    ['<ipython-input-7-1b2c3d> in <module>\n      1 a\n----> 3 b', { kind: 'cell', count: 7, line: 3 }],
    ['~/work/a.py in f(x)\n     10 a\n---> 11 b', { kind: 'file', path: '~/work/a.py', line: 11 }],
    ['  File "/content/run.py", line 3, in <module>\n    x', { kind: 'file', path: '/content/run.py', line: 3 }],
    ['Cell In[3], line 5, in f(x)', { kind: 'cell', count: 3, line: 5 }],
  ])('of the form %j says where', (text, at) => {
    expect(piecesOf(text).find(({ place }) => place)?.place?.at).toEqual(at)
  })

  test.each(['File <string>:1', 'no frames here', 'File <frozen importlib._bootstrap>:241, in _call'])('goes nowhere from %s', (text) => {
    expect(piecesOf(text).every(({ place }) => place === null)).toBe(true)
  })
})
