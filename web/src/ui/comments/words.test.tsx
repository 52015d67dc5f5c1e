/** What becomes of a comment's text: a few marks, and nothing that a stranger could make of it. */
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { Words } from './words'

const ada = { id: 'a', name: 'Ada <b>', email: 'ada@example.org' }
const shown = (text: string) => renderToStaticMarkup(<Words text={text} mentions={[ada]} />).replace(/^<p[^>]*>|<\/p>$/g, '')

describe('words', () => {
  it('are text, whatever they look like', () => {
    expect(shown('<img src=x onerror=alert(1)> &amp; ![x](https://a.example/b.png)')).toBe(
      '&lt;img src=x onerror=alert(1)&gt; &amp;amp; ![x](<a href="https://a.example/b.png" target="_blank" rel="noopener noreferrer nofollow">https://a.example/b.png</a>)',
    )
    expect(shown('[x](javascript:alert(1)) data:text/html,x')).toBe('[x](javascript:alert(1)) data:text/html,x')
  })

  it('may be code, or strong', () => {
    expect(shown('use `a < b`, **really**, 2 ** 3 ** 4')).toBe('use <code>a &lt; b</code>, <strong>really</strong>, 2 ** 3 ** 4')
  })

  it('link to plain addresses, without the point at the end', () => {
    expect(shown('see https://a.example/x?y=1.')).toBe('see <a href="https://a.example/x?y=1" target="_blank" rel="noopener noreferrer nofollow">https://a.example/x?y=1</a>.')
  })

  it('name the people who were reached, and leave other addresses as they are', () => {
    expect(shown('@ada@example.org @eve@example.org')).toBe('<span class="mention" title="ada@example.org">@Ada &lt;b&gt;</span> @eve@example.org')
  })
})
