import { describe, expect, test } from 'vitest'
import { FOUND_MAX, pathText, search, shortPath } from './jsonSearch'

describe('a search in JSON', () => {
  const value = { users: [{ name: 'Ada', age: 36 }, { name: 'Bob', 'e-mail': 'b@x' }], none: null }

  test('finds keys and values, in order, whatever their case', () => {
    expect(search(value, 'NAME').map(({ path }) => shortPath(path))).toEqual(['users[0].name', 'users[1].name'])
    expect(search(value, 'ada').map(({ value }) => value)).toEqual(['Ada'])
    expect(search(value, '36').map(({ path }) => pathText(path))).toEqual(['["users"][0]["age"]'])
    expect(search(value, 'null').map(({ path }) => shortPath(path))).toEqual(['none'])
    expect(search(value, 'b@').map(({ path }) => shortPath(path))).toEqual(['users[1]["e-mail"]'])
  })

  test('finds nothing where nothing is', () => {
    expect(search(value, 'zebra')).toEqual([])
  })

  test('is bounded, in what it finds and in how deep it goes', () => {
    let deep: unknown = 'needle'
    for (let level = 0; level < 3000; level += 1) deep = [deep]

    expect(search(Array.from({ length: 100_000 }, () => 'needle'), 'needle')).toHaveLength(FOUND_MAX)
    expect(search(deep, 'needle')).toHaveLength(1)
  })
})
