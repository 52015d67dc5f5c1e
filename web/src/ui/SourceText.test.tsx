/** What is not seen is marked, inside of what is different as well. */
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, test, vi } from 'vitest'
import { SourceText } from './SourceText'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

function drawn(text: string, changed: readonly (readonly [number, number])[] = []): HTMLElement {
  const root = document.createElement('pre')
  act(() => createRoot(root).render(<SourceText text={text} changed={changed} />))
  return root
}

test('letters that are not seen have elements of their own, and the text stays as it is', () => {
  const text = 'a \u202e b\u200b = 1'
  const box = drawn(text, [[3, 6]])

  expect(box.textContent).toBe(text)
  expect([...box.querySelectorAll('.unseen')].map((one) => one.textContent)).toEqual(['\u202e', '\u200b'])
  expect([...box.querySelectorAll('mark')].map((one) => one.textContent)).toEqual([' b\u200b'])
})

test('ordinary text is one piece', () => {
  expect(drawn('x = 1').childNodes).toHaveLength(1)
})
