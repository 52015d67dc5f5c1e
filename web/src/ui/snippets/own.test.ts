import { expect, test } from 'vitest'
import { changed, DEFAULTS, type Settings } from '../../settings/model'
import { fits, kept, ownSnippets } from './own'

const having = (own: unknown): Settings => changed(DEFAULTS, { snippets: { own: own as Settings['snippets']['own'] } })
const a = { name: 'a', source: '1' }
const b = { name: 'b', source: '2' }

test('they come by their names, and what is none is passed over', () => {
  expect(ownSnippets(having([b, null, { name: 7 }, a]))).toEqual([a, b])
})

test('one of the same name is replaced, and one that gets another name leaves none behind', () => {
  expect(kept([a, b], { name: 'b', source: '3' })).toEqual([a, { name: 'b', source: '3' }])
  expect(kept([a, b], { name: 'c', source: '2' }, 'b')).toEqual([a, { name: 'c', source: '2' }])
  expect(kept([a, b], { name: 'a', source: '2' }, 'b')).toEqual([{ name: 'a', source: '2' }])
})

test('there is room for a hundred, and for so much text', () => {
  const many = (count: number, length: number) => Array.from({ length: count }, (_, at) => ({ name: String(at), source: 'ä'.repeat(length) }))

  expect([fits(many(100, 100)), fits(many(101, 1)), fits(many(1, 10_001)), fits(many(30, 5000))]).toEqual([true, false, false, false])
})
