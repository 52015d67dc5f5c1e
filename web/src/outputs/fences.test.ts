import { expect, it } from 'vitest'
import { colourFences } from './fences'

const root = (html: string): HTMLElement => {
  const element = document.createElement('div')
  element.innerHTML = html
  return element
}

it('Python between fences has its colours, and says the same', async () => {
  const source = 'def double(n):\n    return n * 2  # <b>'
  const shown = root('<pre><code class="language-python"></code></pre><pre><code class="language-bash">def f</code></pre>')
  const [python, bash] = shown.querySelectorAll('code')
  python!.textContent = source

  colourFences(shown)
  await expect.poll(() => python!.querySelector('.tok-keyword')?.textContent).toBe('def')

  expect(python!.textContent).toBe(source)
  expect(bash!.innerHTML).toBe('def f')
})
