import { expect, test } from 'vitest'
import { cutsOrPastes, Handover, moves, RUN } from './handover'

const NONE = { ctrlKey: false, shiftKey: false, altKey: false, metaKey: false }
const key = (name: string, held: Partial<typeof NONE> = {}) => ({ ...NONE, ...held, key: name })

function lent(): Handover {
  const handover = new Handover()
  handover.lend()
  return handover
}

test('as long as no output had the keyboard, all is done', () => {
  expect(new Handover().admits('delete', false, 0)).toBe('yes')
})

test('after an output had it, nothing is done until Escape or Tab is pressed in the page, however long it takes', () => {
  for (const way of ['Escape', 'Tab']) {
    const handover = lent()
    expect(handover.admits('delete', false, 0)).toBe('no, and tell')
    handover.tell('delete', 0)
    expect(handover.admits('delete', false, 10)).toBe('no')
    expect(handover.admits('edit', false, 60_000)).toBe('no, and tell')

    handover.pressed(key(way))

    expect(handover.admits('delete', false, 60_010)).toBe('yes')
  }
})

test('a click into the page takes it back', () => {
  const handover = lent()
  handover.takeBack()

  expect(handover.admits('delete', false, 0)).toBe('yes')
})

test('what is deliberate is done when it is wanted again, and that alone', () => {
  const handover = lent()
  expect(handover.admits('cut', true, 0)).toBe('no, and tell')
  handover.tell('cut', 0)

  expect(handover.admits('paste', true, 10)).toBe('no, and tell')
  expect(handover.admits('cut', true, 10)).toBe('yes')
  expect(handover.admits('delete', false, 20)).toBe('no')
})

test('what the person was told of is forgotten when an output has the keyboard again', () => {
  const handover = lent()
  handover.tell(RUN, 0)
  expect(handover.toldOf(RUN)).toBe(true)
  handover.lend()

  expect(handover.toldOf(RUN)).toBe(false)
  expect(handover.admits(RUN, true, 10)).toBe('no, and tell')
})

test('Escape with Ctrl is no Escape', () => {
  const handover = lent()
  handover.pressed(key('Escape', { ctrlKey: true }))

  expect(handover.admits('delete', false, 0)).toBe('no, and tell')
})

test('arrows move; Ctrl with X or V, and Shift with Insert or Delete, cut and paste', () => {
  expect([key('ArrowDown'), key('ArrowUp', { shiftKey: true })].every(moves)).toBe(true)
  expect(moves(key('ArrowUp', { ctrlKey: true }))).toBe(false)
  expect([key('x', { ctrlKey: true }), key('V', { metaKey: true }), key('Delete', { shiftKey: true })].every(cutsOrPastes)).toBe(true)
  expect([key('x'), key('Delete'), key('c', { ctrlKey: true })].some(cutsOrPastes)).toBe(false)
})
