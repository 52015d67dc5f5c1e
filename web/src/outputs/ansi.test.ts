// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { type AnsiState, appendAnsi, paletteColour, withoutAnsi } from './ansi'

function drawn(...pieces: readonly string[]): HTMLElement {
  const box = document.createElement('pre')
  let state: AnsiState = null
  for (const piece of pieces) state = appendAnsi(box, piece, state)
  return box
}

describe('terminal colours', () => {
  test('plain text is one text node', () => {
    const box = drawn('a < b & c')

    expect(box.childNodes).toHaveLength(1)
    expect(box.textContent).toBe('a < b & c')
  })

  test('the sixteen have names that follow the theme, and end where they end', () => {
    const box = drawn('\x1b[1;31mred\x1b[0m plain \x1b[92mlight green')

    expect([...box.querySelectorAll('span')].map((one) => [one.className, one.textContent])).toEqual([
      ['ansi-bold ansi-fg-red', 'red'],
      ['ansi-fg-bright-green', 'light green'],
    ])
    expect(box.textContent).toBe('red plain light green')
  })

  test('free colours are set as numbers and as nothing else', () => {
    const box = drawn('\x1b[38;5;208morange\x1b[0m\x1b[38;2;1;2;3;48;2;4;5;6mtrue\x1b[0m')
    const [orange, exact] = box.querySelectorAll('span')

    expect(orange?.style.getPropertyValue('--ansi')).toBe('rgb(255, 135, 0)')
    expect(exact?.style.color).toBe('rgb(1, 2, 3)')
    expect(exact?.style.backgroundColor).toBe('rgb(4, 5, 6)')
  })

  test('what one piece left in force goes on in the next', () => {
    const box = drawn('\x1b[34mblue ', 'still blue', '\x1b[0m not')

    expect([...box.querySelectorAll('.ansi-fg-blue')].map((one) => one.textContent)).toEqual(['blue ', 'still blue'])
    expect(box.lastChild?.textContent).toBe(' not')
  })

  test('reversed text takes the theme’s own two colours', () => {
    expect(drawn('\x1b[7mx').querySelector('span')?.className).toBe('ansi-fg-back ansi-bg-front')
  })

  test('a link leads where it says, for as long as it lasts, and nowhere unsafe', () => {
    const box = drawn('see \x1b]8;;https://elsewhere.example/a\x1b\\the \x1b[1m', 'page\x1b[0m\x1b]8;;\x07 and \x1b]8;;javascript:alert(1)\x07that\x1b]8;;\x07.')
    const links = [...box.querySelectorAll('a')]

    expect(links.map((link) => [link.textContent, link.href, link.rel])).toEqual([
      ['the ', 'https://elsewhere.example/a', 'noopener noreferrer nofollow'],
      ['page', 'https://elsewhere.example/a', 'noopener noreferrer nofollow'],
    ])
    expect(box.textContent).toBe('see the page and that.')
  })

  test('titles, links and cursor movements leave no trace', () => {
    const text = '\x1b]0;title\x07a\x1b]8;;https://elsewhere.example\x1b\\b\x1b]8;;\x1b\\\x1b[2Kc\x1b(B'

    expect(drawn(text).textContent).toBe('abc')
    expect(withoutAnsi(text)).toBe('abc')
  })

  test('markup in the text stays text', () => {
    const box = drawn('\x1b[31m<img src=x onerror=alert(1)>\x1b[0m')

    expect(box.querySelector('img')).toBeNull()
    expect(box.textContent).toBe('<img src=x onerror=alert(1)>')
  })

  test.each([
    [9, { name: 'bright-red' }],
    [16, { rgb: 'rgb(0, 0, 0)' }],
    [231, { rgb: 'rgb(255, 255, 255)' }],
    [232, { rgb: 'rgb(8, 8, 8)' }],
    [999, {}],
  ])('colour %i of the palette', (index, colour) => {
    expect(paletteColour(index)).toEqual(colour)
  })
})
