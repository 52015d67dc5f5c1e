/** The commands this person ran last from the palette, the latest first: kept in this browser. */
const KEY = 'collegium/commands'
const KEPT_MAX = 8

export function recent(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === 'string').slice(0, KEPT_MAX) : []
  } catch {
    // Storage may be denied to this page, or hold something else's text: then nothing is remembered.
    return []
  }
}

export function ran(id: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([id, ...recent().filter((other) => other !== id)].slice(0, KEPT_MAX)))
  } catch {
    // As above.
  }
}
