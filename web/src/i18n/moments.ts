/** Moments and places in a row, as the page's language says them. */
import { locale, msg, t } from './index'

const MINUTE = 60_000
const relative = new Map<string, Intl.RelativeTimeFormat>()

function told(count: number, unit: 'minute' | 'hour' | 'day'): string {
  const language = locale()
  const found = relative.get(language) ?? new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  relative.set(language, found)
  return found.format(-count, unit)
}

/** "5 minutes ago", "yesterday"; what is older than a week by its date. */
export function ago(at: number, now: number): string {
  const minutes = Math.floor((now - at) / MINUTE)
  if (minutes < 1) return t('just now')
  if (minutes < 60) return told(minutes, 'minute')
  if (minutes < 24 * 60) return told(Math.floor(minutes / 60), 'hour')
  if (minutes < 7 * 24 * 60) return told(Math.floor(minutes / 60 / 24), 'day')
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return new Date(at).toLocaleDateString(locale(), { day: 'numeric', month: 'short', ...(!sameYear && { year: 'numeric' }) })
}

const english = new Intl.PluralRules('en', { type: 'ordinal' })
const ENDS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = { one: msg('{n}st'), two: msg('{n}nd'), few: msg('{n}rd') }

/** "2nd" */
export function ordinal(n: number): string {
  return t(ENDS[english.select(n)] ?? msg('{n}th'), { n })
}
