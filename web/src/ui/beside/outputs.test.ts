import { expect, test } from 'vitest'
import type { Output } from '../../model/wire'
import { type Folded, folded, NONE } from './outputs'

const all = (...messages: [string, Record<string, unknown>][]): readonly Output[] => messages.reduce<Folded>((state, [type, content]) => folded(state, type, content), NONE).outputs
const out = (text: string, name = 'stdout'): [string, Record<string, unknown>] => ['stream', { name, text }]

test('streams run together, apart from each other, and a carriage return begins the line anew', () => {
  expect(all(out('a\n10%'), out('\r20%'), out('\r30%\n'), out('bad', 'stderr'))).toMatchObject([{ text: 'a\n30%\n' }, { name: 'stderr', text: 'bad' }])
})

test('what was displayed is updated, and cleared when the next output comes', () => {
  const shown = { data: { 'text/plain': '1' }, transient: { display_id: 'd' } }
  expect(all(['display_data', shown], ['update_display_data', { ...shown, data: { 'text/plain': '2' } }])).toMatchObject([{ data: { 'text/plain': '2' } }])
  expect(all(out('old'), ['clear_output', { wait: true }])).toHaveLength(1)
  expect(all(out('old'), ['clear_output', { wait: true }], out('new'))).toMatchObject([{ text: 'new' }])
  expect(all(out('old'), ['clear_output', { wait: false }])).toEqual([])
})

test('an endless printer keeps the last million characters', () => {
  const [stream] = all(out('x'.repeat(900_000)), out('y'.repeat(900_000)))
  expect((stream as { text: string }).text).toHaveLength(1_000_000)
  expect((stream as { text: string }).text.endsWith('y')).toBe(true)
})
