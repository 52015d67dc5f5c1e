/** Moments and places in a row, as the page's language says them. */
import { at as written, before } from './formats'
import { msg, t } from './index'

const MINUTE = 60_000

/** "5 minutes ago", "yesterday"; what is older than a week by its date. */
export function ago(at: number, now: number): string {
  const minutes = Math.floor((now - at) / MINUTE)
  if (minutes < 1) return t('just now')
  if (minutes < 60) return before(minutes, 'minute')
  if (minutes < 24 * 60) return before(Math.floor(minutes / 60), 'hour')
  if (minutes < 7 * 24 * 60) return before(Math.floor(minutes / 60 / 24), 'day')
  return written(new Date(at).getFullYear() === new Date(now).getFullYear() ? 'date' : 'day', at)
}

const english = new Intl.PluralRules('en', { type: 'ordinal' })
const ENDS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = { one: msg('{n}st'), two: msg('{n}nd'), few: msg('{n}rd') }

/** "2nd" */
export function ordinal(n: number): string {
  return t(ENDS[english.select(n)] ?? msg('{n}th'), { n })
}
