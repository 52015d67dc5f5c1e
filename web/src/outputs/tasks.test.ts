// @vitest-environment jsdom
import { describe, expect, test, vi } from 'vitest'
import { renderMarkdown, taskPlaces } from './markdown'
import { Pieces, setTasks } from './pieces'

const marks = (source: string) => taskPlaces(source).map((place) => (place < 0 ? null : source[place]))

describe('task lists', () => {
  test.each([
    ['- [ ] a\n- [x] b\n- [X] c', [' ', 'x', 'X']],
    ['1. [ ] a\n\n   - [x] b', [' ', 'x']],
    ['> - [ ] quoted', [' ']],
    ['text\r\n\r\n* [x] after other line ends', ['x']],
    ['- [ ] **bold** first', [' ']],
    ['- [x](https://a.b) a link', []],
    ['- [ ]\n- []\n- [y] none\n\n[ ] not in a list', []],
    ['```\n- [ ] code\n```', []],
  ])('%j', (source, found) => {
    expect(marks(source)).toEqual(found)
  })

  function shown(source: string, toggle?: (task: number) => void): HTMLElement {
    const root = document.createElement('div')
    root.append(renderMarkdown(source))
    setTasks(root, taskPlaces(source).length, 'Task', toggle)
    return root
  }

  test('are boxes, ticked where they are done, that tell which was pressed', () => {
    const toggle = vi.fn()
    const boxes = shown('- [ ] one\n- [x] two', toggle).querySelectorAll('input')

    expect([...boxes].map(({ checked, disabled }) => [checked, disabled])).toEqual([[false, false], [true, false]])
    expect(boxes[1]!.getAttribute('aria-label')).toBe('two')
    boxes[1]!.click()
    expect(toggle).toHaveBeenCalledExactlyOnceWith(1)
  })

  test('cannot be ticked by who may not write, nor where a text pretends to have more of them', () => {
    expect(shown('- [ ] one').querySelector('input')!.disabled).toBe(true)
    const forged = shown('- [ ] one\n\n<span class="task"></span>', () => undefined)
    expect([...forged.querySelectorAll('input')].every(({ disabled }) => disabled)).toBe(true)
  })
})

describe('what is shown again', () => {
  const root = () => document.createElement('div')

  test('keeps what did not change as the very same elements', () => {
    const element = root()
    const pieces = new Pieces(element)
    pieces.show(renderMarkdown('# A\n\none\n\n<details><summary>s</summary>t</details>'), false)
    const [heading, text, , details] = [...element.childNodes].filter((node) => node.nodeType === 1) as Element[]
    const open = element.querySelector('details')!
    open.open = true
    pieces.show(renderMarkdown('# A\n\none two\n\n<details><summary>s</summary>t</details>'), false)

    expect(element.firstElementChild).toBe(heading)
    expect(element.querySelector('p')).not.toBe(text)
    expect(element.querySelector('details')).toBe(open)
    expect(open.open).toBe(true)
    expect(details).toBeUndefined()
    expect(element.textContent).toContain('one two')
  })

  test('is the same as what is shown anew, whatever was there before', () => {
    const texts = ['', 'a', 'a\n\nb', 'b', '# h\n\na\n\nb', '# h\n\nb\n\nb', '- [ ] a\n- b', '$x$', 'a\n\na\n\na', 'a\n\na']
    const element = root()
    const pieces = new Pieces(element)
    for (const first of texts) {
      for (const second of texts) {
        pieces.show(renderMarkdown(first), false)
        pieces.show(renderMarkdown(second), false)
        const fresh = root()
        fresh.append(renderMarkdown(second))
        expect(element.textContent, `${first} → ${second}`).toBe(fresh.textContent)
      }
    }
  })

  test('has a place for each diagram, and keeps it while other text changes', () => {
    const element = root()
    const pieces = new Pieces(element)
    const diagram = '```mermaid\nflowchart LR\n A-->B\n```'
    pieces.show(renderMarkdown(`one\n\n${diagram}`), true)
    const [place] = pieces.diagrams
    pieces.show(renderMarkdown(`two\n\n${diagram}`), true)

    expect(place?.source).toContain('A-->B')
    expect(pieces.diagrams).toHaveLength(1)
    expect(pieces.diagrams[0]!.place).toBe(place!.place)
    expect(element.querySelector('pre')).toBeNull()
  })
})

test.each([
  '<img src=x onerror=alert(1)>', '<svg><script>alert(1)</script></svg>', '<a href="java\nscript:alert(1)">x</a>', '[x](data:text/html,<script>alert(1)</script>)', '<iframe srcdoc="<script>1</script>">',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>', '<details open ontoggle=alert(1)>', '<input autofocus onfocus=alert(1)>', '<style>@import "https://e.x/a.css"</style>',
  '<p style="background:url(https://e.x/a)">', '![a](https://e.x/a.png)', '<img srcset="https://e.x/a 1x">', '<link rel=prefetch href=https://e.x>', '<meta http-equiv=refresh content="0;url=https://e.x">',
  '<video poster=https://e.x/a src=https://e.x/b>', '<table background=https://e.x/a>', '<a href="https://e.x" ping="https://e.x/p">x</a>', '```mermaid\n</code></pre><img src=x onerror=alert(1)>\n```', '<form action=https://e.x><button>x',
  '<base href=https://e.x>', '<object data=https://e.x>', '<span id=desk class="task math-inline" name=x>x</span>', '- [ ] <img src=x onerror=alert(1)>', '$\\href{javascript:alert(1)}{x}$', '$\\includegraphics{https://e.x/a}$',
])('nothing runs, and nothing is asked for, by %s', (source) => {
  const root = document.createElement('div')
  new Pieces(root).show(renderMarkdown(source), true)
  setTasks(root, taskPlaces(source).length, 'Task', undefined)
  for (const element of root.querySelectorAll('*')) {
    expect(element.nodeName).not.toMatch(/^(?:SCRIPT|IFRAME|STYLE|LINK|META|BASE|OBJECT|EMBED|FORM|VIDEO|AUDIO|BUTTON)$/)
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^(?:on|srcset|ping|poster|background|id|name|action)/i)
      if (name === 'src') expect(value).toMatch(/^data:image\//)
      if (name === 'href') expect(value).toMatch(/^(?:https?:|mailto:|#)/)
      if (name === 'style') expect(value).not.toMatch(/url|image-set|expression/i)
    }
  }
})
