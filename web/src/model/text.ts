/** Text as UTF-16 sees it: halves of a surrogate pair must never be parted, or replicas drift. */
import { tn } from '../i18n'

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff

/** Whether an offset falls between the two halves of one character. */
export function splitsPair(text: string, at: number): boolean {
  return at > 0 && at < text.length && isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at))
}

/** The same text without halves that have lost their other half. */
export function wellFormed(text: string): string {
  return text.toWellFormed()
}

/** How many edits are not on the server yet. */
export const editsWait = (waiting: number): string => tn('{count} edit waits', '{count} edits wait', waiting)
