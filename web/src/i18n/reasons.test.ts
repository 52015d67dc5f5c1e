/** Why a kernel or a runtime ended is said in the page's language. */
import { afterEach, expect, test } from 'vitest'
import de from './de'
import { speak } from './index'
import { knowReasons, reasonText } from './reasons'
import { REASONS, reasonIn, SIGNALS } from './reasonWords'

const GIGABYTE = 1 << 30

const german = () => {
  speak('de', de)
  knowReasons(reasonIn)
}

afterEach(() => {
  speak('en', {})
  knowReasons(() => undefined)
})

test('with its numbers as the language writes them', () => {
  german()

  expect(reasonText({ reason: 'x', why: { code: 'out_of_memory_of', memory_used: 2.1 * GIGABYTE, memory_limit: 2 * GIGABYTE } })).toBe('beendet: kein Speicher mehr (2,1 GB von 2,0 GB belegt)')
  expect(reasonText({ reason: 'x', why: { code: 'crashed', signal: 'segmentation fault' } })).toBe('der Kernel ist abgestürzt: Speicherzugriffsfehler')
  expect(reasonText({ reason: 'x', why: { code: 'signalled', signal: 'SIGHUP' } })).toBe('ein Signal hat den Kernel beendet: SIGHUP')
})

test.each([
  [12 * 3_600_000, '12 Stunden'],
  [90 * 60_000, '90 Minuten'],
  [60_000, '1 Minute'],
  [30_000, '30 Sekunden'],
])('%i ms inside a reason inside a reason', (duration_ms, words) => {
  german()

  expect(reasonText({ reason: 'x', why: { code: 'runtime_taken_back', because: { code: 'idle', duration_ms } } })).toBe(`die Laufzeit wurde zurückgenommen: sie wurde ${words} nicht benutzt`)
})

test('a refusal is told in its own words', () => {
  german()

  expect(reasonText({ reason: 'x', why: { code: 'many_runtimes', most: 2 } })).toContain('schon 2 Laufzeiten')
})

test('so is what was asked for and could not be had, and what is done meanwhile', () => {
  german()

  expect(reasonText({ reason: 'x', why: { code: 'accelerator_none', accelerator: 'TPU', because: { code: 'none_here' }, usual: 'cpu' } })).toBe('Das Notebook verlangt einen Beschleuniger (TPU): hier gibt es keinen. Verwendet wird cpu.')
  expect(reasonText({ reason: 'x', why: { code: 'environment_built', line: 'Installed numpy' } })).toBe('Die Umgebung des Notebooks wird gebaut: Installed numpy')
})

test('what has no code, a code of tomorrow or too few values: the server says it', () => {
  german()

  expect(reasonText({ reason: 'the moon is full' })).toBe('the moon is full')
  expect(reasonText({ reason: 'the moon is full', why: { code: 'moon' } })).toBe('the moon is full')
  expect(reasonText({ reason: 'the moon is full', why: { code: 'constructor' } })).toBe('the moon is full')
  expect(reasonText({ reason: 'the moon is full', why: { code: 'idle' } })).toBe('the moon is full')
  expect(reasonText({ reason: 'the moon is full', why: { code: 'runtime_ended_because', because: { code: 'moon' } } })).toBe('the moon is full')
  expect(reasonText({})).toBeNull()
})

test('in English the server always says it', () => {
  knowReasons(reasonIn)

  expect(reasonText({ reason: 'stopped', why: { code: 'stopped' } })).toBe('stopped')
})

test('every word of the tables is in the catalogue', () => {
  expect([...Object.values(REASONS), ...Object.values(SIGNALS)].filter((english) => !Object.hasOwn(de, english))).toEqual([])
})
