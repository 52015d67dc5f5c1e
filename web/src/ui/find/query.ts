/** What is looked for, as a pattern, and what it finds in a text. */
import { splitsPair } from '../../model/text'
import type { CellId } from '../../model/wire'

export interface Query {
  readonly text: string
  readonly regex: boolean
  readonly matchCase: boolean
  readonly wholeWord: boolean
}

export interface Range {
  readonly from: number
  readonly to: number
}
export interface Match extends Range {
  readonly cell: CellId
}
export interface Found extends Range {
  /** What would stand there instead, when a replacement was given. */
  readonly instead: string | null
}

/** Past this, finding stops: nobody steps through more. */
export const FOUND_MAX = 20_000

const LETTER = String.raw`[\p{L}\p{N}\p{M}_]`

/** The pattern of a query. Throws SyntaxError when a regular expression is none. */
export function patternOf({ text, regex, matchCase, wholeWord }: Query): RegExp {
  const source = regex ? text : text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  // Alone first, so that nothing a word's borders add can make a pattern of what is none.
  const own = made(source, matchCase)
  return wholeWord ? made(`(?<!${LETTER})(?:${source})(?!${LETTER})`, matchCase, own.unicode) : own
}

/** Unicode's rules where the pattern follows them; else the older ones, which take `\-` and the like. */
function made(source: string, matchCase: boolean, unicode = true): RegExp {
  const flags = matchCase ? 'gm' : 'gim'
  if (!unicode) return new RegExp(source.replaceAll(LETTER, '[\\w]'), flags)
  try {
    return new RegExp(source, `${flags}u`)
  } catch {
    // If it is no pattern by the older rules either, that error is the one to tell.
    return new RegExp(source, flags)
  }
}

/** All that a pattern finds in a text, except what is empty or would part a character. */
export function findIn(text: string, pattern: RegExp, template: Template | null, most = FOUND_MAX): Found[] {
  const found: Found[] = []
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { index: from } = match
    const to = from + match[0].length
    if (from === to) pattern.lastIndex += 1
    else if (!splitsPair(text, from) && !splitsPair(text, to)) {
      found.push({ from, to, instead: template && template(match) })
      if (found.length >= most) break
    }
  }
  return found
}

export type Template = (match: RegExpExecArray) => string

/** What is written in the place of a match. In a regular expression, `$1`, `$<name>`, `$&` and `\n` mean what they do elsewhere. */
export function templateOf(replacement: string, regex: boolean): Template {
  if (!regex) return () => replacement
  return (match) =>
    replacement.replace(/\\([\\nt])|\$(?:(\$)|(&)|(\d{1,2})|<([^>]*)>)/g, (whole, escape?: string, dollar?: string, all?: string, number?: string, name?: string) => {
      if (escape !== undefined) return escape === 'n' ? '\n' : escape === 't' ? '\t' : '\\'
      if (dollar !== undefined) return '$'
      if (all !== undefined) return match[0]
      if (number !== undefined) return numbered(match, number, whole)
      return match.groups && Object.hasOwn(match.groups, name!) ? (match.groups[name!] ?? '') : whole
    })
}

/** `$12` is the twelfth group where there are so many, else the first and a 2. */
function numbered(match: RegExpExecArray, number: string, whole: string): string {
  const groups = match.length - 1
  const two = Number(number)
  if (two > 0 && two <= groups) return match[two] ?? ''
  const one = Number(number[0])
  return number.length === 2 && one > 0 && one <= groups ? (match[one] ?? '') + number[1] : whole
}
