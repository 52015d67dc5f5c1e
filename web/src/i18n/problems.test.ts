/** A refusal is shown in the page's language where that has words for it, and in the server's own elsewhere. */
import { afterEach, expect, test } from 'vitest'
import de from './de'
import { speak } from './index'
import { knowProblems, problemText } from './problems'
import { PROBLEMS } from './problemWords'

const german = () => {
  speak('de', de)
  knowProblems(PROBLEMS)
}

afterEach(() => {
  speak('en', {})
  knowProblems({})
})

test('what the server says about is filled in, numbers and sizes as the language writes them', () => {
  german()

  expect(problemText({ code: 'too_large', why: 'file_size', size_max: 2_500_000, detail: 'A file here has at most 2500000 bytes.' })).toBe('Eine Datei hat hier höchstens 2,5 MB.')
  expect(problemText({ code: 'quota_exceeded', why: 'many_runtimes', most: 2, detail: 'x' })).toContain('schon 2 Laufzeiten')
})

test('what is finer is not known, or not told whole: the code says it', () => {
  german()

  expect(problemText({ code: 'not_found', why: 'of tomorrow', detail: 'x' })).toBe('So etwas gibt es hier nicht, oder es ist nicht mit Ihnen geteilt.')
  expect(problemText({ code: 'too_large', why: 'file_size', detail: 'x' })).toBe('Das ist zu groß.')
})

test('no code is known: the server says it', () => {
  german()

  expect(problemText({ code: 'of_tomorrow', detail: 'the moon is full' })).toBe('The moon is full.')
  expect(problemText({ code: 'constructor' })).toBeUndefined()
})

test('in English the server always says it', () => {
  knowProblems(PROBLEMS)

  expect(problemText({ code: 'not_found', detail: 'There is no such group.' })).toBe('There is no such group.')
})

test('every word of the table is in the catalogue', () => {
  expect(Object.values(PROBLEMS).filter((english) => !Object.hasOwn(de, english))).toEqual([])
})
