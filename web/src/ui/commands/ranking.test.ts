/** What the palette finds, and in which order. */
import { expect, test } from 'vitest'
import { score } from './ranking'

const NAMES = ['File Save', 'File Save and pin revision', 'File Save a copy', 'View Save collapsed section layout', 'Runtime Run all', 'Runtime Run cell and below', 'Edit Make it a text cell']
const found = (query: string) =>
  NAMES.flatMap((name) => {
    const points = score(query, name)
    return points === null ? [] : [{ name, points }]
  })
    .sort((a, b) => b.points - a.points)
    .map(({ name }) => name)

test('whole words stand before their beginnings, and short names before long ones', () => {
  expect(found('save')).toEqual(['File Save', 'File Save a copy', 'File Save and pin revision', 'View Save collapsed section layout'])
  expect(found('run all')[0]).toBe('Runtime Run all')
})

test('words may be typed in any order, begun, or by their letters', () => {
  expect(found('pin save')).toEqual(['File Save and pin revision'])
  expect(found('sa co')[0]).toBe('File Save a copy')
  expect(found('rcab')).toEqual(['Runtime Run cell and below'])
  expect(found('mktx')).toEqual(['Edit Make it a text cell'])
})

test('what was not typed is not found, accents are not needed, and nothing typed finds all', () => {
  expect(found('teleport')).toEqual([])
  expect(score('uber', 'Über Collegium')).toBeGreaterThan(0)
  expect(found('')).toHaveLength(NAMES.length)
})
