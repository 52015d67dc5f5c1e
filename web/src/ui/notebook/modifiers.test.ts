import { expect, test } from 'vitest'
import { Modifiers } from './modifiers'

const NONE = { ctrlKey: false, shiftKey: false, altKey: false, metaKey: false }
const CTRL = { ...NONE, ctrlKey: true }

test('a stroke whose modifier went down in an output is not of this page, until it is let go and pressed again', () => {
  const modifiers = new Modifiers()
  modifiers.lost(true)
  expect(modifiers.own(CTRL)).toBe(false)
  expect(modifiers.own(CTRL)).toBe(false)

  modifiers.released('Control')
  modifiers.pressed('Control')

  expect(modifiers.own(CTRL)).toBe(true)
})

test('a key alone is of this page, and so is what follows', () => {
  const modifiers = new Modifiers()
  modifiers.lost(true)

  expect(modifiers.own(NONE)).toBe(true)
  expect(modifiers.own(CTRL)).toBe(true)
})

test('one modifier pressed here does not vouch for another', () => {
  const modifiers = new Modifiers()
  modifiers.lost(true)
  modifiers.pressed('Shift')

  expect(modifiers.own({ ...CTRL, shiftKey: true })).toBe(false)
})

test('coming from another window or tab, all strokes are of this page', () => {
  const modifiers = new Modifiers()
  modifiers.lost(false)

  expect(modifiers.own(CTRL)).toBe(true)
})

test('what is held here while an output takes the keyboard for a moment stays of this page, and nothing else does', () => {
  const modifiers = new Modifiers()
  modifiers.pressed('Shift')
  modifiers.robbed()

  expect(modifiers.own({ ...NONE, shiftKey: true })).toBe(true)
  modifiers.robbed()
  expect(modifiers.own(CTRL)).toBe(false)
})
