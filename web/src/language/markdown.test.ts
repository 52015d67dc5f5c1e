// @vitest-environment jsdom
import { expect, test } from 'vitest'
import { rendered } from './markdown'

test.each([
  '<img src=x onerror=alert(1)>',
  '![x](https://evil.example/pixel.png)',
  '<script>alert(1)</script>',
  '<style>*{display:none}</style>',
  '<iframe src=//evil.example></iframe>',
  '<svg onload=alert(1)><circle/></svg>',
  '[x](javascript:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x]: https://evil.example\n![x]',
  '<form action=//evil.example><button>',
  '<a href="javascript:alert(1)">x</a>',
  '```html\n<img src=x>\n```',
])('%s fetches nothing and does nothing', (source) => {
  const element = rendered(source)

  expect(element.querySelector('img, script, style, iframe, svg, form, button, input, object, link, video, audio')).toBeNull()
  for (const one of element.querySelectorAll('*')) for (const { name } of one.attributes) expect(name).not.toMatch(/^on|^src|^style/)
  for (const link of element.querySelectorAll('a[href]')) expect(link.getAttribute('href')).toMatch(/^https?:/)
})

test('what documents code is there', () => {
  const element = rendered('```python\ndef f(a) -> int\n```\n---\nGives *a*, see [there](https://example.org).')

  expect(element.querySelector('pre code')?.textContent).toBe('def f(a) -> int\n')
  expect(element.querySelector('em')?.textContent).toBe('a')
  expect(element.querySelector('a')?.getAttribute('href')).toBe('https://example.org')
})
