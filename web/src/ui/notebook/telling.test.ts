import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EVERY_MS, GATHER_MS, Telling, type Told } from './telling'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function listening(): { readonly telling: Telling; readonly said: string[] } {
  const said: string[] = []
  return { telling: new Telling((words) => said.push(words)), said }
}

const told = (number: number, state: Told['state'], error?: string): Told => ({ cell: `cell-${number}`, number, state, error })

test('a short run is told of once, when it is over', () => {
  const { telling, said } = listening()
  telling.run(told(1, 'running'))
  telling.run(told(1, 'finished'))
  vi.advanceTimersByTime(GATHER_MS)

  expect(said).toEqual(['Cell 1 is done'])
})

test('a run that lasts is told of at its beginning and at its end, with what it failed with', () => {
  const { telling, said } = listening()
  telling.run(told(2, 'running'))
  vi.advanceTimersByTime(60_000)
  telling.run(told(2, 'failed', 'ZeroDivisionError'))
  vi.advanceTimersByTime(GATHER_MS)

  expect(said).toEqual(['Cell 2 runs', 'Cell 2 failed: ZeroDivisionError'])
})

test('a hundred runs in two seconds are two sentences', () => {
  const { telling, said } = listening()
  for (let number = 1; number <= 100; number += 1) {
    telling.run(told(number, 'running'))
    vi.advanceTimersByTime(10)
    telling.run(told(number, 'finished'))
    vi.advanceTimersByTime(10)
  }
  vi.advanceTimersByTime(EVERY_MS)

  expect(said).toHaveLength(2)
  expect(said[1]).toMatch(/^\d\d cells are done$/)
})

test('failures are told before all else of runs, and people before them', () => {
  const { telling, said } = listening()
  telling.run(told(1, 'finished'))
  telling.run(told(2, 'failed'))
  telling.run(told(3, 'running'))
  telling.person('Bob is here')
  vi.advanceTimersByTime(GATHER_MS)

  expect(said).toEqual(['Bob is here. Cell 2 failed. Cell 1 is done. Cell 3 runs'])
})

test('nothing is told after it was closed', () => {
  const { telling, said } = listening()
  telling.run(told(1, 'running'))
  telling.close()
  vi.advanceTimersByTime(60_000)

  expect(said).toEqual([])
})
