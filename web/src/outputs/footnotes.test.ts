// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { footnoteOf } from './footnotes'
import { renderMarkdown, taskPlaces } from './markdown'

function shown(source: string): HTMLElement {
  const root = document.createElement('div')
  root.append(renderMarkdown(source))
  return root
}
const mentions = (root: Element) => [...root.querySelectorAll('.footnote-mention')].map((one) => one.textContent)
const notes = (root: Element) => [...root.querySelectorAll('.footnotes li')].map((one) => one.textContent!.replace('↩', '').trim())

describe('footnotes', () => {
  test('stand at the end, numbered as they are mentioned', () => {
    const root = shown('One[^b] and two[^a], again[^b].\n\n[^a]: First *written*.\n[^b]: Second.\n\nMore text.')

    expect(mentions(root)).toEqual(['1', '2', '1'])
    expect(notes(root)).toEqual(['Second.', 'First written.'])
    expect(root.lastElementChild!.className).toBe('footnotes')
    expect(root.querySelector('.footnotes em')!.textContent).toBe('written')
  })

  test('go on in lines further to the right', () => {
    const root = shown('x[^1]\n\n[^1]: One.\n\n    Two.\n\n    - three\n\nNot of it.')

    expect(root.querySelectorAll('.footnotes li p')).toHaveLength(2)
    expect(root.querySelector('.footnotes li li')!.textContent).toBe('three')
    expect(root.querySelector(':scope > p:nth-of-type(2)')!.textContent).toBe('Not of it.')
  })

  test.each([
    ['nothing explains it[^1]', 'nothing explains it[^1]'],
    ['`[^1]`\n\n[^1]: unseen', '[^1]'],
    ['a [link][x]\n\n[x]: https://a.example', 'a link'],
  ])('%j has none', (source, text) => {
    const root = shown(source)

    expect(root.textContent!.trim()).toBe(text)
    expect(root.querySelector('.footnotes')).toBeNull()
  })

  test('the first explanation counts, and one inside of another is one too', () => {
    const root = shown('a[^1] b[^2]\n\n[^1]: first\n[^1]: again\n\n[^2]: outer\n\n    [^3]: inner[^1]')

    expect(notes(root)).toEqual(['first', 'outer'])
  })

  test('links lead there and back, and those that only look so lead nowhere', () => {
    const root = shown('a[^x]\n\n[^x]: note\n\n[fake](#fn-1)')
    const [mention, fake, back] = root.querySelectorAll('a')

    expect(footnoteOf(mention!, root)).toBe(root.querySelector('.footnotes li'))
    expect(footnoteOf(back!, root)).toBe(mention)
    expect(footnoteOf(fake!, root)).toBeNull()
    expect(mention!.getAttribute('aria-label')).toBe('Footnote 1')
  })

  test('tasks in them are ticked where they are written', () => {
    const source = 'a[^1]\n\n[^1]: x\n\n    - [x] in the note\n\n- [ ] in the text'

    expect(taskPlaces(source).map((place) => source[place])).toEqual([' ', 'x'])
  })
})
