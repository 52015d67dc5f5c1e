import { expect, test } from 'vitest'
import { endingOf, piecesOf } from './magics'

test.each([
  ['%%bash', 'sh'], ['%%sh --out x', 'sh'], ['%%html', 'html'], ['%%javascript', 'js'], ['%%sql', 'sql'], ['%%R', 'r'], ['%%time', 'py'], ['%%capture out', 'py'],
  ['%%writefile -a pack/mod.py', 'py'], ['%%writefile Makefile', 'txt'], ['%%script /usr/bin/env', 'txt'], ['%%script bash', 'sh'], ['%%unheard_of', 'txt'], ['%%__proto__', 'txt'],
])('under %s stands %s', (line, ending) => {
  expect(endingOf(line)).toBe(ending)
})

test.each(['%time x', ' %%bash', 'x %%bash', '# %%bash', ''])('%s begins no other language', (line) => {
  expect(endingOf(line)).toBeNull()
})

const kinds = (line: string) => piecesOf(line)?.pieces.map(({ from, to, kind }) => `${kind} ${line.slice(from, to)}`)

test('a line of the shell has a command, texts, and values of Python', () => {
  expect(kinds('!pip install "a b" {name} $HOME # why')).toEqual(['mark !', 'name pip', 'string "a b"', 'value {name}', 'value $HOME', 'comment # why'])
  expect(kinds('files = !ls *.csv')).toEqual(['mark !', 'name ls'])
  expect(kinds('    %timeit f(3)')).toEqual(['mark %', 'name timeit'])
  expect(kinds("!echo 'unclosed")).toEqual(['mark !', 'name echo', "string 'unclosed"])
})

test.each(['a % b', 'x = a % b', 'a != b', 'print("%s" % x)', '% b', '# !ls', 'if x != y:', 'total = !'])('%s is plain Python', (line) => {
  expect(piecesOf(line)).toBeNull()
})
