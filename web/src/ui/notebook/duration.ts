/** Times as people read them beside a cell. */
import { at, number, sameDay } from '../../i18n/formats'

export function lasted(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return milliseconds % 1000 === 0 ? `${seconds}s` : `${number(Math.max(0.1, Math.round(seconds * 10) / 10))}s`
  if (seconds < 60) return `${Math.round(seconds)}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m ${Math.floor(seconds % 60)}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

export function clock(milliseconds: number): string {
  return at(sameDay(milliseconds, Date.now()) ? 'seconds' : 'moment', milliseconds)
}
