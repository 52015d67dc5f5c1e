/**
 * The words of the page, in the person's language. The English text is its own name, as in gettext: what has no
 * translation is shown in English. A language is chosen before the first drawing; another one takes a new load.
 */
import { formatIn, number, pluralOf } from './formats'

export type Values = Readonly<Record<string, string | number>>
/** English text → its translation; for a text that counts, one for each category of `Intl.PluralRules`. */
export type Catalogue = Readonly<Record<string, string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>>>

let catalogue: Catalogue = {}

export function speak(language: string, words: Catalogue): void {
  catalogue = words
  formatIn(language)
  document.documentElement.lang = language
}

/** Marks a text of a table for the catalogue; whoever shows it calls `t`. */
export const msg = (english: string): string => english

/** Whether the page's language has words of its own for it. */
export const translated = (english: string): boolean => Object.hasOwn(catalogue, english)

/** `t('Move “{name}” to the trash?', { name })` */
export function t(english: string, values?: Values): string {
  const found = catalogue[english]
  return filled(typeof found === 'string' ? found : english, values)
}

/** `tn('{count} cell deleted', '{count} cells deleted', count)`: the form that goes with the number, which is `{count}`. */
export function tn(one: string, other: string, count: number, values?: Values): string {
  const found = catalogue[other]
  const form = typeof found === 'object' ? (found[pluralOf(count)] ?? found.other) : undefined
  return filled(form ?? (count === 1 ? one : other), { ...values, count: number(count) })
}

function filled(text: string, values: Values | undefined): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole)) : text
}
