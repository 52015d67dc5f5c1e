/** Numbers, dates, times and the order of words, as the page's language has them: the one place that asks `Intl`. */
let spoken = 'en'
let plurals = new Intl.PluralRules('en')

/** Called before the first drawing, and by tests. */
export function formatIn(language: string): void {
  spoken = language
  plurals = new Intl.PluralRules(language)
}

/** The language as `Intl` takes it, of the person's own region where the browser names one. */
function locale(): string {
  return navigator.languages?.find((tag) => tag.split('-')[0]!.toLowerCase() === spoken) ?? spoken
}

export const pluralOf = (count: number): Intl.LDMLPluralRule => plurals.select(count)

export const number = (value: number, options?: Intl.NumberFormatOptions): string => value.toLocaleString(locale(), options)

/** With just so many digits behind the point. */
export const decimals = (value: number, digits: number): string => number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits })

const FORMS = {
  /** 14:05 */
  clock: { hour: '2-digit', minute: '2-digit' },
  /** 14:05:09 */
  seconds: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  /** Nov 3 */
  date: { month: 'short', day: 'numeric' },
  /** Nov 2026 */
  month: { month: 'short', year: 'numeric' },
  /** Nov 3, 2026 */
  day: { day: 'numeric', month: 'short', year: 'numeric' },
  /** Tuesday */
  weekday: { weekday: 'long' },
  /** Tuesday, November 3, 2026 */
  wholeDay: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  /** Nov 3, 2026, 14:05 */
  moment: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  /** Nov 3, 14:05:09 */
  logged: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

/** To make one takes a hundred times as long as to use it, and lists use it for each of their rows. */
const made = new Map<string, unknown>()
function kept<Format>(name: string, make: (locale: string) => Format): Format {
  const key = `${name} ${locale()}`
  const found = (made.get(key) as Format | undefined) ?? make(locale())
  made.set(key, found)
  return found
}

/** A moment, in milliseconds since 1970, of which as much is said as the form has. */
export function at(form: keyof typeof FORMS, moment: number): string {
  return kept(form, (locale) => new Intl.DateTimeFormat(locale, FORMS[form])).format(moment)
}

export const sameDay = (one: number, other: number): boolean => new Date(one).toDateString() === new Date(other).toDateString()

/** A time in a list: the hour today, the day this year, the month before. */
export function brief(moment: number, now: number): string {
  if (sameDay(moment, now)) return at('clock', moment)
  return at(new Date(moment).getFullYear() === new Date(now).getFullYear() ? 'date' : 'month', moment)
}

/** "5 minutes ago", "yesterday". */
export function before(count: number, unit: 'minute' | 'hour' | 'day'): string {
  return kept('before', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })).format(-count, unit)
}

/** The order of names: `cell10` after `cell9`, whatever is large or small in them. */
export function byName(one: string, other: string): number {
  return kept('names', (locale) => new Intl.Collator(locale, { numeric: true, sensitivity: 'base' })).compare(one, other)
}

/** The order of a dictionary. */
export function byWord(one: string, other: string): number {
  return kept('words', (locale) => new Intl.Collator(locale)).compare(one, other)
}
