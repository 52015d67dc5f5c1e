// @vitest-environment jsdom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, test, vi } from 'vitest'
import { ErrorBoundary } from './ErrorBoundary'

test('a bug ends in words and two ways on, not in a blank page', () => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const place = document.createElement('div')
  const Broken = () => {
    throw new Error('x is not y')
  }
  act(() => createRoot(place, { onCaughtError: () => undefined }).render(<ErrorBoundary><Broken /></ErrorBoundary>))

  expect(place.querySelector('h1')?.textContent).toBe('This page stopped working')
  expect(place.textContent).toContain('x is not y')
  expect(place.querySelector('button')?.textContent).toBe('Load it again')
  expect(place.querySelector('a')?.getAttribute('href')).toBe('/')
})
