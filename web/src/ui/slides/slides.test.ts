import { describe, expect, test } from 'vitest'
import { moved, placeOf, type SlideCell, slidesOf } from './slides'

/** `#` a heading, `t` a text, `c` code; after a colon, the notebook's own mark. */
const cells = (text: string): SlideCell[] =>
  text.split(' ').map((word, at) => {
    const [what, kind = null] = word.split(':')
    return { id: `${at}`, type: what === 'c' ? 'code' : 'markdown', heading: what === '#', kind }
  })
const shown = (text: string) => slidesOf(cells(text)).map(({ steps }) => steps.map((step) => step.join(',')).join(' | '))

describe('slides', () => {
  test.each([
    ['# c t # c', ['0,1,2', '3,4']],
    ['c # c', ['0', '1,2']],
    ['t c c t t c', ['0,1', '2', '3', '4,5']],
    ['#:slide c #:- t:fragment c:fragment t', ['0,1,2 | 3 | 4,5']],
    ['t:slide c:skip c t:notes t:subslide', ['0,2', '4']],
    ['c:fragment c:slide', ['0', '1']],
  ])('%s', (text, slides) => {
    expect(shown(text)).toEqual(slides)
  })

  test('of an empty notebook are none', () => {
    expect(slidesOf([])).toEqual([])
    expect(moved([], { slide: 0, step: 0 }, 'last')).toEqual({ slide: 0, step: 0 })
  })
})

test('steps lead through everything, there and back', () => {
  const slides = slidesOf(cells('t:slide t:fragment t:slide t:slide t:fragment'))
  const way = [{ slide: 0, step: 0 }]
  for (let at = 0; at < 6; at++) way.push(moved(slides, way.at(-1)!, 'next'))
  expect(way.map(({ slide, step }) => `${slide}.${step}`)).toEqual(['0.0', '0.1', '1.0', '2.0', '2.1', '2.1', '2.1'])
  const back = [moved(slides, way[0]!, 'last')]
  for (let at = 0; at < 5; at++) back.push(moved(slides, back.at(-1)!, 'previous'))
  expect(back.map(({ slide, step }) => `${slide}.${step}`)).toEqual(['2.1', '2.0', '1.0', '0.1', '0.0', '0.0'])
})

test('one begins where one is, or before what is left out', () => {
  const list = cells('t:slide t:fragment c:skip t:slide')
  const order = list.map(({ id }) => id)
  expect(placeOf(slidesOf(list), order, '1')).toEqual({ slide: 0, step: 1 })
  expect(placeOf(slidesOf(list), order, '2')).toEqual({ slide: 0, step: 1 })
  expect(placeOf(slidesOf(list), order, '3')).toEqual({ slide: 1, step: 0 })
  expect(placeOf(slidesOf(list), order, null)).toEqual({ slide: 0, step: 0 })
})
