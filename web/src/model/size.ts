/** How much something takes, as people say it. */
import { number } from '../i18n/formats'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

export function sizeText(bytes: number): string {
  let unit = 0
  let left = bytes
  while (left >= 1000 && unit < UNITS.length - 1) {
    left /= 1000
    unit += 1
  }
  return `${unit === 0 || left >= 100 ? Math.round(left) : number(left, { maximumFractionDigits: 1, minimumFractionDigits: 1 })} ${UNITS[unit]}`
}
