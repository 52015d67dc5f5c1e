import { expect, test } from 'vitest'
import { firstBelow } from './pool'

/** Boxes of these heights below each other, and how many were asked where they are. */
function boxes(...heights: number[]) {
  let [bottom, asked] = [0, 0]
  const list = heights.map((height) => {
    const end = (bottom += height)
    return { getBoundingClientRect: () => ((asked += 1), { bottom: end }) } as unknown as Element
  })
  return { list, asked: () => asked }
}

test('the first box that reaches down to a height is found, and past the last there is none', () => {
  const { list } = boxes(10, 20, 30)

  expect([0, 10, 11, 30, 31, 60, 61].map((height) => firstBelow(list, height))).toEqual([0, 0, 1, 1, 2, 2, 3])
  expect(firstBelow([], 5)).toBe(0)
})

test('a thousand boxes are not all asked where they are', () => {
  const { list, asked } = boxes(...Array.from({ length: 1000 }, () => 100))

  expect(firstBelow(list, 90_050)).toBe(900)
  expect(asked()).toBeLessThanOrEqual(10)
})
