/**
 * What the server's refusals say in the page's language. They come in English, with a code and what the words are about;
 * in English, and where the code is not known here, the server's own words are shown.
 */
import { number } from './formats'
import { t, translated } from './index'
import { sizeText } from '../model/size'

/** By code, the English that the catalogue has. */
export type ProblemWords = Readonly<Record<string, string>>

let known: ProblemWords = {}

/** Called with the catalogue of another language. */
export function knowProblems(words: ProblemWords): void {
  known = words
}

/** The words for a refusal, from whatever the server sent: problem+json of HTTP, or a message of the socket. */
export function problemText(sent: Readonly<Record<string, unknown>>): string | undefined {
  const { why, code, detail, title } = sent
  const said = [detail, title].find((text): text is string => typeof text === 'string' && text !== '')
  for (const name of [why, code]) {
    const english = typeof name === 'string' && Object.hasOwn(known, name) ? known[name]! : undefined
    if (english === undefined || !translated(english)) continue
    const holes = [...english.matchAll(/\{(\w+)\}/g)].map(([, hole]) => hole!)
    // A server that is older or newer than the page may send less.
    if (holes.every((hole) => isFit(sent[hole]))) return t(english, Object.fromEntries(holes.map((hole) => [hole, shown(hole, sent[hole] as string | number)])))
  }
  return said && sentence(said)
}

const isFit = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number'

function shown(hole: string, value: string | number): string {
  if (typeof value === 'string') return value
  return hole.startsWith('size') ? sizeText(value) : number(value)
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
