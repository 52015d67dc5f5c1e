import { describe, expect, it, test } from 'vitest'
import { speak } from './index'
import { ago, ordinal } from './moments'
import de from './de'

describe('ago', () => {
  it('says how long, and after a week the day', () => {
    const now = Date.UTC(2026, 5, 15, 12)
    expect(ago(now - 20_000, now)).toBe('just now')
    expect(ago(now - 3 * 3_600_000, now)).toBe('3 hours ago')
    expect(ago(now - 30 * 24 * 3_600_000, now)).not.toContain('ago')
  })
})

test('places in a row have their ends', () => {
  expect([1, 2, 3, 4, 11, 22, 113].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th'])
})

test('another language says them in its own way', () => {
  speak('de', de)
  const now = Date.UTC(2026, 5, 15, 12)

  expect([ago(now - 1000, now), ago(now - 5 * 60_000, now), ago(now - 24 * 3_600_000, now)]).toEqual(['gerade eben', 'vor 5 Minuten', 'gestern'])
  expect(ordinal(2)).toBe('2.')
  speak('en', {})
})
