/** Numbers and moments are the language's that the page speaks, whatever the browser's is. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { sizeText } from '../model/size'
import { at, before, brief, byName, number } from './formats'
import { speak } from './index'

const NOON = new Date(2026, 10, 3, 12, 5, 9).getTime()

describe('a person who chose German in an English browser', () => {
  afterEach(() => {
    speak('en', {})
    vi.unstubAllGlobals()
  })

  it('reads German numbers, dates and times', () => {
    vi.stubGlobal('navigator', { languages: ['en-US', 'en'] })
    speak('de', {})

    expect([number(1234), number(0.5), sizeText(1_500_000)]).toEqual(['1.234', '0,5', '1,5 MB'])
    expect([at('day', NOON), at('clock', NOON), at('moment', NOON), at('weekday', NOON)]).toEqual(['3. Nov. 2026', '12:05', '3. Nov. 2026, 12:05', 'Dienstag'])
    expect([before(5, 'minute'), before(1, 'day')]).toEqual(['vor 5 Minuten', 'gestern'])
  })

  it('keeps the region that the browser names', () => {
    vi.stubGlobal('navigator', { languages: ['fr', 'de-CH'] })
    speak('de', {})

    expect(number(1234.5)).toBe(new Intl.NumberFormat('de-CH').format(1234.5))
  })

  it('and who chose English in a German one reads English', () => {
    vi.stubGlobal('navigator', { languages: ['de-DE'] })
    speak('en', {})

    expect([number(1234.5), at('day', NOON), before(1, 'day')]).toEqual(['1,234.5', 'Nov 3, 2026', 'yesterday'])
  })
})

test('a list says the hour today, the day this year and the month before', () => {
  const hour = 3_600_000
  expect([brief(NOON - hour, NOON), brief(NOON - 24 * hour, NOON), brief(NOON - 400 * 24 * hour, NOON)]).toEqual([at('clock', NOON - hour), 'Nov 2', 'Sep 2025'])
  expect(['b', 'a10', 'A9'].sort(byName)).toEqual(['A9', 'a10', 'b'])
})

/** The grid writes values as code has them: they are copied into code. */
const EXACT = ['ui/grid/formats.ts']

test('nothing else asks the browser how to write a number or a moment', () => {
  const sources = join(import.meta.dirname, '..')
  const found = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$|^i18n\//.test(name) && !EXACT.includes(name))
    .filter((name) => /\btoLocale(?:Date|Time)?String\b|\bIntl\./.test(readFileSync(join(sources, name), 'utf8')))

  expect(found).toEqual([])
})
