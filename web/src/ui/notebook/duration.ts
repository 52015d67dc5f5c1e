/** Times as people read them beside a cell. */

export function lasted(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return milliseconds % 1000 === 0 ? `${seconds}s` : `${Math.max(0.1, Math.round(seconds * 10) / 10)}s`
  if (seconds < 60) return `${Math.round(seconds)}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m ${Math.floor(seconds % 60)}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

export function clock(milliseconds: number): string {
  const date = new Date(milliseconds)
  const today = new Date().toDateString() === date.toDateString()
  return date.toLocaleString(undefined, today ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' })
}
