import { expect, test } from 'vitest'
import * as protocol from './protocol'

const NONSENSE: readonly unknown[] = [undefined, null, 0, '', 'x', [], [null], [[]], {}, { items: 7 }, { items: [null, 3, { label: 4 }] }, { changes: [] }, { changes: { a: [{ range: {} }] } }, { contents: { value: 7 } }, { signatures: [null] }, [{ range: { start: { line: -1, character: 0 } } }]]

test('nonsense is nothing', () => {
  for (const value of NONSENSE) {
    expect(protocol.diagnostics(value)).toEqual([])
    expect(protocol.offers(value)).toEqual([])
    expect(protocol.locations(value)).toEqual([])
    expect(protocol.workspaceEdit(value).size).toBe(0)
    expect(protocol.actions(value)).toEqual([])
    expect(protocol.signature(value)).toBeNull()
    expect(protocol.formatted(value, 1).failed).not.toBeNull()
  }
  expect(protocol.hover({ contents: { value: 7 } })).toBeNull()
})

test('too much is cut', () => {
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } }
  const many = Array.from({ length: 50_000 }, () => ({ range, message: 'x'.repeat(9999), newText: 'x', label: 'x'.repeat(9999), uri: 'file:///a' }))

  expect(protocol.diagnostics(many)).toHaveLength(200)
  expect(protocol.diagnostics(many)[0]!.message).toHaveLength(2000)
  expect(protocol.offers({ items: many })).toHaveLength(1000)
  expect(protocol.offers({ items: many })[0]!.label).toHaveLength(500)
  expect(protocol.locations(many)).toHaveLength(2000)
  expect(protocol.workspaceEdit({ changes: { a: many } }).size).toBe(0)
  expect(protocol.hover({ contents: 'x'.repeat(99_999) })).toHaveLength(20_000)
})

test('an offer that would change another place is none', () => {
  expect(protocol.offers({ of: 3, items: [{ label: 'a', additionalTextEdits: [{}] }, { label: 'b', at: 1 }] })).toEqual([{ label: 'b', insert: 'b', kind: 'text', detail: '', documentation: { of: 3, at: 1 } }])
})

test('the parameter that is written stands out, also when another is called alike', () => {
  const given = (active: number) => protocol.signature({ activeParameter: active, signatures: [{ label: '(a: int, aa: int, a2)', parameters: [{ label: 'a: int' }, { label: 'aa: int' }, { label: [18, 20] }] }] })!.active

  expect([given(0), given(1), given(2), given(9)]).toEqual([[1, 7], [9, 16], [18, 20], null])
})
