import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { savingOf } from './saving'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('who writes sees one change for all that is written, and saved only once nothing waits', () => {
  const unsaved = createStore<number>(() => 0)
  const saving = savingOf(unsaved)
  const told: boolean[] = []
  const stop = saving.subscribe(() => told.push(saving.current()))
  for (let key = 0; key < 5; key++) {
    unsaved.setState(1, true)
    expect(saving.current()).toBe(true)
    vi.advanceTimersByTime(20)
    unsaved.setState(0, true)
    vi.advanceTimersByTime(80)
  }
  expect(told).toEqual([true])
  unsaved.setState(1, true)
  vi.advanceTimersByTime(60_000)
  expect(told, 'what the server does not acknowledge is never said to be saved').toEqual([true])
  unsaved.setState(0, true)
  vi.advanceTimersByTime(1000)
  expect(told).toEqual([true, false])
  stop()
  unsaved.setState(1, true)
  expect(told).toEqual([true, false])
})

test('what waited before anybody looked is told', () => {
  const unsaved = createStore<number>(() => 3)
  const saving = savingOf(unsaved)
  expect(saving.current()).toBe(true)
  const listener = vi.fn()
  unsaved.setState(0, true)
  saving.subscribe(listener)
  vi.advanceTimersByTime(1000)
  expect(listener).toHaveBeenCalledOnce()
  expect(saving.current()).toBe(false)
})
