import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, test, vi } from 'vitest'
import { Picker } from './Picker'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
const root = document.body.appendChild(document.createElement('div'))
const app = createRoot(root)
afterEach(() => act(() => app.render(null)))

const ENTRIES = Array.from({ length: 20 }, (_, at) => ({ key: String(at) }))

function shown(found: readonly { readonly key: string }[], onPick = vi.fn()) {
  act(() =>
    app.render(
      <Picker label="Find" placeholder="Find" list="All" query="" onQuery={() => {}} found={found} onPick={onPick} none="Nothing fits.">
        {({ key }) => `entry ${key}`}
      </Picker>,
    ),
  )
  const field = root.querySelector('input')!
  const press = (key: string) => act(() => void field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })))
  return { press, onPick, field, chosen: () => root.querySelector('[aria-selected=true]')?.textContent }
}

test('arrows go around the ends, pages stop at them, and what is chosen is told', () => {
  const { press, chosen, field } = shown(ENTRIES)
  press('ArrowUp')
  expect(chosen()).toBe('entry 19')
  press('ArrowDown')
  expect(chosen()).toBe('entry 0')
  press('PageDown')
  expect(chosen()).toBe('entry 8')
  press('PageDown')
  press('PageDown')

  expect(chosen()).toBe('entry 19')
  expect(document.getElementById(field.getAttribute('aria-activedescendant')!)!.textContent).toBe('entry 19')
})

test('Enter and a click pick', () => {
  const { press, onPick } = shown(ENTRIES)
  press('ArrowDown')
  press('Enter')
  act(() => root.querySelectorAll('li')[5]!.click())

  expect(onPick.mock.calls).toEqual([[{ key: '1' }], [{ key: '5' }]])
})

test('nothing that fits is said, and picked it is not', () => {
  const { press, onPick } = shown([])
  press('ArrowDown')
  press('Enter')

  expect(onPick).not.toHaveBeenCalled()
  expect(root.querySelector('[role=status]')!.textContent).toBe('Nothing fits.')
})
