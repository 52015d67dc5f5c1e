/** Shortcuts: what is pressed, what it means on other keyboards, and which ones cannot both be reached. */
import { describe, expect, test } from 'vitest'
import de from '../i18n/de'
import { speak } from '../i18n'
import { collide, matches, parse, type Press, shown, types, written } from './shortcut'

const press = (key: string, { code = '', ctrl = false, meta = false, shift = false, alt = false } = {}): Press => ({ key, code, ctrlKey: ctrl, metaKey: meta, shiftKey: shift, altKey: alt })
const one = (shortcut: string) => parse(shortcut)[0]!
const second = (shortcut: string) => parse(shortcut)[1]!

describe('a press', () => {
  test('is its letter where the keyboard prints Latin letters, and its place where it does not', () => {
    expect(matches(one('Mod+Z'), press('z', { code: 'KeyY', ctrl: true }), false, false)).toBe(true)
    expect(matches(one('Mod+Y'), press('z', { code: 'KeyY', ctrl: true }), false, false)).toBe(false)
    expect(matches(one('Mod+Z'), press('я', { code: 'KeyZ', ctrl: true }), false, false)).toBe(true)
    expect(matches(one('Alt+V'), press('√', { code: 'KeyV', alt: true }), true, false)).toBe(true)
  })

  test('of a sign may need Shift or not', () => {
    expect(matches(one('Mod+/'), press('/', { ctrl: true, shift: true }), false, false)).toBe(true)
    expect(matches(second('Mod+M Shift+/'), press('/', { shift: true }), false, true)).toBe(true)
    expect(matches(second('Mod+M Shift+/'), press('/'), false, true)).toBe(false)
    expect(matches(one('Mod+Shift+['), press('{', { code: 'BracketLeft', ctrl: true, shift: true }), false, false)).toBe(true)
    expect(matches(one('Mod+['), press('{', { code: 'BracketLeft', ctrl: true, shift: true }), false, false)).toBe(false)
    expect(matches(one('Shift+M'), press('m', {}), false, false)).toBe(false)
  })

  test('in a chord may keep Mod, which on a Mac is Cmd, and Ctrl for the M that the system takes', () => {
    expect(matches(one('Mod+M A'), press('m', { ctrl: true }), true, false)).toBe(true)
    expect(matches(second('Mod+M A'), press('a', { meta: true }), true, true)).toBe(true)
    expect(matches(one('Mod+S'), press('s', { ctrl: true }), true, false)).toBe(false)
    expect(matches(one('Mod+S'), press('s', { meta: true }), true, false)).toBe(true)
    for (const held of [{ meta: true }, { ctrl: true }]) expect(matches(one('Mod+Enter'), press('Enter', held), true, false)).toBe(true)
  })

  test('is written as the table writes it', () => {
    expect(written(press('P', { code: 'KeyP', ctrl: true, shift: true }), false)).toBe('Mod+Shift+P')
    expect(written(press('?', { code: 'Slash', shift: true }), false)).toBe('?')
    expect(written(press(' ', { code: 'Space', ctrl: true }), false)).toBe('Mod+Space')
    expect(written(press('ArrowUp', { shift: true }), false)).toBe('Shift+ArrowUp')
    expect(written(press('k', { code: 'KeyK', meta: true }), true)).toBe('Mod+K')
    expect(written(press('Shift', { shift: true }), false)).toBeNull()
  })

  test('that is written is the one that matches', () => {
    for (const pressed of [press('P', { code: 'KeyP', ctrl: true, shift: true }), press('?', { shift: true }), press(' ', { ctrl: true }), press('F9', { ctrl: true }), press('+', { shift: true })]) {
      expect(matches(one(written(pressed, false)!), pressed, false, false)).toBe(true)
    }
  })
})

test('what writes in a text is told from what does not', () => {
  expect(['A', 'Shift+M', 'ArrowUp', 'Enter', 'Space', 'Mod+C', 'Mod+R', 'Mod+Shift+ArrowDown'].filter((keys) => !types(one(keys)))).toEqual([])
  expect(['Mod+E', 'Alt+Enter', 'F2', 'Shift+Enter', 'Mod+M A', 'Mod+Shift+Y'].filter((keys) => types(one(keys)))).toEqual([])
})

test('two shortcuts collide when one is the other or its beginning', () => {
  expect(collide('D', 'D D')).toBe(true)
  expect(collide('D D', 'D')).toBe(true)
  expect(collide('Mod+M A', 'Mod+M Mod+A')).toBe(true)
  expect(collide('Mod+M A', 'Mod+M B')).toBe(false)
  expect(collide('Mod+M', 'Mod+Shift+M')).toBe(false)
  expect(collide('A', 'Mod+A')).toBe(false)
})

test('keys are shown as people read them', () => {
  expect(shown('Mod+M A', false)).toBe('Ctrl+M A')
  expect(shown('Mod+Shift+Enter', true)).toBe('⌘⇧↩')
  expect(shown('Shift+ArrowUp', false)).toBe('Shift+↑')
})

test('keys are called what is printed on them in the language of the page', () => {
  speak('de', de)

  expect(shown('Mod+Shift+Enter', false)).toBe('Strg+Umschalt+Enter')
  expect(shown('Mod+M A', false)).toBe('Strg+M A')
  expect(shown('Mod+Shift+Enter', true)).toBe('⌘⇧↩')
  speak('en', {})
})
