import { expect, test } from 'vitest'
import { between } from './pool'

/** Boxes of these heights below each other, and how many were asked where they are. */
function boxes(...heights: number[]) {
  let [bottom, asked] = [0, 0]
  const list = heights.map((height) => {
    const [top, end] = [bottom, (bottom += height)]
    return { getBoundingClientRect: () => ((asked += 1), { top, bottom: end }) } as unknown as Element
  })
  return { list, asked: () => asked }
}

test('the boxes that reach between two heights are found, and past the last there is none', () => {
  const { list } = boxes(10, 20, 30)
  const found = (top: number, bottom: number) => between(list, top, bottom).map((box) => list.indexOf(box))

  expect(found(0, 5)).toEqual([0])
  expect(found(-9, 90)).toEqual([0, 1, 2])
  expect(found(11, 29)).toEqual([1])
  expect(found(29, 31)).toEqual([1, 2])
  expect(found(61, 90)).toEqual([])
  expect(between([], 0, 5)).toEqual([])
})

test('a thousand boxes are not all asked where they are', () => {
  const { list, asked } = boxes(...Array.from({ length: 1000 }, () => 100))

  expect(between(list, 90_050, 90_250)).toEqual(list.slice(900, 903))
  expect(asked()).toBeLessThanOrEqual(14)
})
