/** Shortcuts as text ("Mod+M A"), read once and matched against key presses. Mod is Ctrl, or Cmd on a Mac. */

export interface Stroke {
  readonly key: string
  readonly mod: boolean
  readonly shift: boolean
  readonly alt: boolean
}
export interface Press {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
}

export function parse(shortcut: string): readonly Stroke[] {
  return shortcut.split(' ').map((part) => {
    const names = part.split('+')
    const key = part.endsWith('+') ? '+' : names.at(-1)!
    return { key: key.toLowerCase(), mod: names.includes('Mod'), shift: names.includes('Shift'), alt: names.includes('Alt') }
  })
}

/** Letters match by what is printed on the key; the second stroke of a chord may keep Mod pressed. */
export function matches(stroke: Stroke, press: Press, mac: boolean, chord: boolean): boolean {
  // On a Mac, Cmd+M belongs to the system, so Ctrl+M begins a chord as well.
  const mod = mac ? press.metaKey || (press.ctrlKey && (chord || stroke.key === 'm')) : press.ctrlKey
  const key = press.key.toLowerCase()
  const same = key === stroke.key || (press.code.startsWith('Key') && press.code.slice(3).toLowerCase() === stroke.key)
  if (!same || press.altKey !== stroke.alt) return false
  if (chord) return /^[a-z]$/.test(stroke.key) ? press.shiftKey === stroke.shift : true
  return mod === stroke.mod && press.shiftKey === stroke.shift
}

/** As people read it: "Ctrl+M A", or "⌘M A" on a Mac. */
export function shown(shortcut: string, mac: boolean): string {
  if (!mac) return shortcut.replaceAll('Mod', 'Ctrl')
  return shortcut.replaceAll('Mod+', '⌘').replaceAll('Shift+', '⇧').replaceAll('Alt+', '⌥').replaceAll('Enter', '↩')
}
