import { expect, test } from 'vitest'
import { dice } from '../testing/seeded'
import { GROUP, type Group, grouped } from './groups'

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `c${from + n}`)
const all = (groups: readonly Group[]) => groups.flatMap(({ cells }) => cells)
const homes = (groups: readonly Group[]) => new Map(groups.flatMap(({ key, cells }) => cells.map((id) => [id, key] as const)))

test('a notebook is cut into even groups', () => {
  const groups = grouped(names(0, 1000))
  expect(all(groups)).toEqual(names(0, 1000))
  expect(groups.map(({ cells }) => cells.length)).toEqual([...Array.from({ length: 31 }, () => GROUP), 8])
  expect(grouped([])).toEqual([])
})

test('what did not change is the same object', () => {
  const before = grouped(names(0, 200))
  const order = names(0, 200).filter((id) => id !== 'c70')
  const after = grouped(order, before)
  expect(all(after)).toEqual(order)
  expect(after.map((group, at) => group === before[at])).toEqual([true, true, false, true, true, true, true])
})

test('a cell that is inserted joins the group above it, however many do', () => {
  const before = grouped(names(0, 100))
  const order = [...names(0, 40), ...names(500, 600), ...names(40, 100)]
  const after = grouped(order, before)
  expect(all(after)).toEqual(order)
  for (const id of names(0, 100)) expect(homes(after).get(id)).toBe(homes(before).get(id))
})

test('what is added at the end fills the last group and begins others', () => {
  const after = grouped(names(0, 150), grouped(names(0, 40)))
  expect(after.map(({ cells }) => cells.length)).toEqual([32, 32, 32, 32, 22])
})

test('a moved cell goes alone: no other is taken from its group', () => {
  const before = grouped(names(0, 200))
  const order = names(0, 200).filter((id) => id !== 'c150')
  order.splice(10, 0, 'c150')
  const after = grouped(order, before)
  expect(all(after)).toEqual(order)
  expect(names(0, 200).filter((id) => homes(after).get(id) !== homes(before).get(id))).toEqual(['c150'])
})

test.each([1, 2, 3, 4, 5])('whatever happens to the order, the groups hold it, and no more moves than was moved (seed %i)', (seed) => {
  const random = dice(seed)
  for (let notebook = 0; notebook < 60; notebook++) {
    let made = random(200)
    let order = names(0, made)
    let groups = grouped(order)
    for (let round = 0; round < 6; round++) {
      const touched = new Set<string>()
      for (let change = random(12); change > 0; change--) {
        const what = random(3)
        const id = what === 0 || order.length === 0 ? `c${made++}` : order[random(order.length)]!
        touched.add(id)
        order = order.filter((one) => one !== id)
        if (what < 2) order.splice(random(order.length + 1), 0, id)
      }
      const before = homes(groups)
      groups = grouped(order, groups)
      const after = homes(groups)

      expect(all(groups)).toEqual(order)
      expect(new Set(groups.map(({ key }) => key)).size).toBe(groups.length)
      expect(groups.every(({ cells }) => cells.length > 0)).toBe(true)
      const strayed = order.filter((id) => before.has(id) && before.get(id) !== after.get(id))
      expect(strayed.length).toBeLessThanOrEqual(touched.size)
    }
  }
})
