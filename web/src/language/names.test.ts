import { expect, test } from 'vitest'
import { isSure, namesIn } from './names'
import type { Diagnostic } from './protocol'

const unresolved = (text: string, name: string, code = 'unresolved-reference', message = ''): Diagnostic => {
  const before = text.slice(0, text.indexOf(name)).split('\n')
  const start = { line: before.length - 1, character: before.at(-1)!.length }
  return { range: { start, end: { line: start.line, character: start.character + name.length } }, severity: 'error', code, message, unnecessary: false, whole: null }
}
const sure = (text: string, name: string, ...cells: string[]) => isSure(unresolved(text, name), text, () => namesIn([text, ...cells]))

test.each([
  ['value = 1', 'value'],
  ['  value: int = 1', 'value'],
  ['a, value = 1, 2', 'value'],
  ['(a, value) = 1, 2', 'value'],
  ['a = 1; value = 2', 'value'],
  ['def value(x): ...', 'value'],
  ['async def value(): ...', 'value'],
  ['class Value(Base):\n  pass', 'Value'],
  ['class Value:\n  pass', 'Value'],
  ['import value', 'value'],
  ['import numpy as value', 'value'],
  ['from x import (a,\n  value)', 'value'],
  ['from x import a, value\n', 'value'],
  ['for i, value in pairs: ...', 'value'],
  ['with open(x) as value:\n  ...', 'value'],
  ['value += 1', 'value'],
  ['if (value := 1): ...', 'value'],
  ['global value\n', 'value'],
  ['first, *value = 1, 2', 'value'],
  ['größe = 1', 'größe'],
  ['%%capture value', 'value'],
  ['%store -r value', 'value'],
  ['%%bigquery value', 'value'],
  ['value = !ls', 'value'],
])('%s in another cell names %s', (cell, name) => {
  expect(sure(`print(${name})`, name, cell)).toBe(false)
})

test.each(['print(value)', 'other == value', '"value = 1" in x', 'x.value.y', 'f(1)[value]'])('%s in another cell names nothing', (cell) => {
  expect(sure('print(value)', 'value', cell)).toBe(true)
})

test.each(['%run other.ipynb', '%pylab', 'from x import *', 'exec("y")', 'globals()["y"] = 1', '  %load_ext x\n%load y'])('after %s any name may be there', (cell) => {
  expect(sure('print(value)', 'value', cell)).toBe(false)
})

test('what IPython gives is there', () => {
  for (const name of ['display', 'get_ipython', 'In', 'Out', '_', '__', '_12', '_i3', '_ih']) expect(sure(`print(${name})`, name)).toBe(false)
})

test('a magic without its sign is no name, alone on its line', () => {
  expect(sure('x\nls', 'ls')).toBe(false)
  expect(sure('pip', 'pip')).toBe(false)
  expect(sure('print(ls)', 'ls')).toBe(true)
})

test('other problems are believed, but for an await at the head of a cell', () => {
  const text = '[await x for x in y]'
  expect(isSure(unresolved(text, 'await', 'invalid-syntax', '`await` outside of an asynchronous function'), text, () => null)).toBe(false)
  expect(isSure(unresolved(text, 'x', 'invalid-assignment'), text, () => null)).toBe(true)
  expect(isSure(unresolved(text, 'x', 'invalid-syntax', 'Expected an expression'), text, () => null)).toBe(true)
})

test('a text made to be slow is read before anybody would wait', () => {
  const slow = [`${'a, '.repeat(50_000)}!`, ' '.repeat(100_000), `${'('.repeat(50_000)}x`, 'x = '.repeat(50_000), '%'.repeat(100_000), `${'\t'.repeat(50_000)}from`]

  expect(namesIn(slow)).toEqual(new Set(['x']))
})
