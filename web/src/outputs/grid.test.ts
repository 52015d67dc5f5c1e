import { describe, expect, test } from 'vitest'
import { ordered, resourceGrid } from './grid'

describe('a table resource', () => {
  test('has the columns of its schema, in their order', () => {
    const grid = resourceGrid({ schema: { fields: [{ name: 'b' }, { name: 'a' }] }, data: [{ a: 1, b: 'x' }, { a: 2 }] })

    expect(grid).toEqual({ columns: ['b', 'a'], rows: [['x', 1], [null, 2]] })
  })

  test('without a schema has those of its first row', () => {
    expect(resourceGrid('{"data": [{"a": 1}]}')).toEqual({ columns: ['a'], rows: [[1]] })
  })

  test.each([null, 7, 'not JSON', {}, { data: 'x' }])('is not made of %o', (value) => {
    expect(resourceGrid(value)).toBeNull()
  })

  test('is not fooled by names that objects have anyway', () => {
    expect(resourceGrid({ schema: { fields: [{ name: 'constructor' }] }, data: [{}] })?.rows).toEqual([[null]])
  })
})

describe('an order', () => {
  test('of numbers is by size, with what is empty last either way', () => {
    const rows = [['10'], [''], ['9'], ['-1']]

    expect(ordered(rows, 0, false)).toEqual([['-1'], ['9'], ['10'], ['']])
    expect(ordered(rows, 0, true)).toEqual([['10'], ['9'], ['-1'], ['']])
  })

  test('of words is by the alphabet', () => {
    expect(ordered([['b'], ['a'], ['10']], 0, false)).toEqual([['10'], ['a'], ['b']])
  })
})
