// @vitest-environment jsdom
import { afterEach, expect, test } from 'vitest'
import { rememberStopped, wasStopped } from './stopped'

afterEach(() => sessionStorage.clear())

test('an output that was stopped is remembered, until it is asked for again', () => {
  rememberStopped('n', 'a', 'run', true)
  rememberStopped('n', 'b', null, true)
  expect([wasStopped('n', 'a', 'run'), wasStopped('n', 'b', null)]).toEqual([true, true])
  rememberStopped('n', 'a', 'run', false)

  expect([wasStopped('n', 'a', 'run'), wasStopped('n', 'b', null)]).toEqual([false, true])
})

test('another run, cell or notebook has outputs of its own', () => {
  rememberStopped('n', 'a', 'run', true)

  expect([wasStopped('n', 'a', 'next'), wasStopped('n', 'a', null), wasStopped('n', 'b', 'run'), wasStopped('m', 'a', 'run')]).toEqual([false, false, false, false])
})

test('what is kept is bounded, and something else in its place is nothing', () => {
  for (let at = 0; at < 200; at += 1) rememberStopped('n', `c${at}`, null, true)
  expect([wasStopped('n', 'c0', null), wasStopped('n', 'c199', null)]).toEqual([false, true])
  sessionStorage.setItem('collegium/stopped/n', '{"x"')

  expect(wasStopped('n', 'c199', null)).toBe(false)
})
