/**
 * The words of the page, in the person's language. The English text is its own name, as in gettext: what has no
 * translation is shown in English. A language is chosen before the first drawing; another one takes a new load.
 */
export type Values = Readonly<Record<string, string | number>>
/** English text → its translation; for a text that counts, one for each category of `Intl.PluralRules`. */
export type Catalogue = Readonly<Record<string, string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>>>

let catalogue: Catalogue = {}
let spoken = 'en'
let rules = new Intl.PluralRules('en')

export function speak(language: string, words: Catalogue): void {
  catalogue = words
  spoken = language
  rules = new Intl.PluralRules(language)
  document.documentElement.lang = language
}

/** The language as `Intl` takes it, of the person's own region where the browser names one. */
export function locale(): string {
  return navigator.languages?.find((tag) => tag.split('-')[0]!.toLowerCase() === spoken) ?? spoken
}

/** Marks a text of a table for the catalogue; whoever shows it calls `t`. */
export const msg = (english: string): string => english

/** `t('Move “{name}” to the trash?', { name })` */
export function t(english: string, values?: Values): string {
  const found = catalogue[english]
  return filled(typeof found === 'string' ? found : english, values)
}

/** `tn('{count} cell deleted', '{count} cells deleted', count)`: the form that goes with the number, which is `{count}`. */
export function tn(one: string, other: string, count: number, values?: Values): string {
  const found = catalogue[other]
  const kind = rules.select(count)
  const form = typeof found === 'object' ? (found[kind] ?? found.other) : undefined
  return filled(form ?? (count === 1 ? one : other), { ...values, count: count.toLocaleString(locale()) })
}

function filled(text: string, values: Values | undefined): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole)) : text
}
