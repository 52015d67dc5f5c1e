// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { latexPieces } from './math'
import { renderMarkdown } from './markdown'

function html(source: string, attachments?: Parameters<typeof renderMarkdown>[1]): string {
  const box = document.createElement('div')
  box.append(renderMarkdown(source, attachments))
  return box.innerHTML.trim()
}

describe('formulas', () => {
  test.each([
    ['inline $\\sqrt{n}$ here', '<code class="math-inline">\\sqrt{n}</code>'],
    ['$$a < b$$', '<code class="math-block">a &lt; b</code>'],
    ['$$\na\n$$', '<code class="math-block">\na\n</code>'],
    ['\\begin{align}\na &= b \\\\\n\\end{align}', '\\begin{align}'],
    ['$x$', '<code class="math-inline">x</code>'],
    ['$a_1$ and $a_2$', '<code class="math-inline">a_2</code>'],
    ['$ x_1 $', 'math-inline'],
    ['\\\\(x\\\\)', '<code class="math-inline">x</code>'],
  ])('%s is one', (source, found) => {
    expect(html(source)).toContain(found)
  })

  test.each(['from $5 to $6', 'only one $ here', '`$x$`', '    $x$', '```\n$$x$$\n```', 'escaped \\$x\\$'])('%s is none', (source) => {
    expect(html(source)).not.toContain('math-')
  })

  test('emphasis does not reach into one', () => {
    expect(html('$a_b c_d$')).not.toContain('<em>')
  })

  test.each([
    ['$\\displaystyle \\int x$', [{ tex: '\\int x', display: true }]],
    ['$x$', [{ tex: 'x', display: false }]],
    ['$$x$$', [{ tex: 'x', display: true }]],
    ['\\begin{matrix}1\\end{matrix}', [{ tex: '\\begin{matrix}1\\end{matrix}', display: true }]],
  ])('text/latex %s', (source, pieces) => {
    expect(latexPieces(source)).toEqual(pieces)
  })
})

describe('a text cell', () => {
  test('has headings, lists, tables and code', () => {
    const out = html('# A\n\n- b\n\n| c | d |\n|---|---|\n| 1 | 2 |\n\n```python\ne()\n```')

    for (const part of ['<h1>A</h1>', '<li>b</li>', '<th>c</th>', '<code class="language-python">e()']) expect(out).toContain(part)
  })

  test('shows the pictures that came with it, and no others', () => {
    const attachments = { 'a b.png': { 'image/png': 'AAAA' }, 'c.svg': { 'image/svg+xml': '<svg onload="alert(1)"/>' } }

    expect(html('![x](attachment:a%20b.png)', attachments)).toContain('src="data:image/png;base64,AAAA"')
    expect(html('<img src="attachment:a b.png">', attachments)).toContain('src="data:image/png;base64,AAAA"')
    expect(html('![x](attachment:c.svg) ![y](attachment:none.png) ![z](attachment:__proto__)', attachments)).not.toContain('<img')
    expect(html('![badge](https://elsewhere.example/b.svg)')).not.toContain('<img')
  })

  test.each(['[x](javascript:alert(1))', '[x](vscode:open)', '[x](command:run)', '<javascript:alert(1)>', '[x](file:///etc/passwd)', '<a href="ms-msdt:/id">x</a>', '[x]: javascript:alert(1)\n\n[x]'])('%s leads nowhere', (source) => {
    expect(html(source)).not.toMatch(/href="(?!https?:|mailto:|#)/)
  })

  test('turns addresses into links, and names of files not', () => {
    expect(html('https://numpy.org')).toContain('href="https://numpy.org"')
    expect(html('see notebook.py and ada@example.org and javascript:alert(1)')).not.toContain('<a')
  })

  test('runs nothing that is written into it', () => {
    const out = html('a <script>alert(1)</script> <img src=x onerror=alert(1)> <style>*{}</style>\n\n<iframe srcdoc="x"></iframe>')

    expect(out).not.toMatch(/<script|onerror|<style|<iframe/)
  })
})
