/** Shortcuts as text ("Mod+M A"), read once and matched against key presses. Mod is Ctrl, or Cmd on a Mac. */
import { msg, t } from '../i18n'

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

export const STROKES_MAX = 2

export function parse(shortcut: string): readonly Stroke[] {
  return shortcut.split(' ').map((part) => {
    const names = part.split('+')
    const key = part.endsWith('+') ? '+' : names.at(-1)!
    return { key: key.toLowerCase(), mod: names.includes('Mod'), shift: names.includes('Shift'), alt: names.includes('Alt') }
  })
}

/** Letters match by what is printed on the key, or by its place where no Latin letter is printed. */
export function matches(stroke: Stroke, press: Press, mac: boolean, chord: boolean): boolean {
  // On a Mac, Cmd+M belongs to the system, so Ctrl+M begins a chord as well; and Jupyter runs cells by Ctrl+Enter there too.
  const mod = mac ? press.metaKey || (press.ctrlKey && (chord || stroke.key === 'm' || stroke.key === 'enter')) : press.ctrlKey
  const same = keyOf(press) === stroke.key || (stroke.shift && SIGN_PLACES[press.code] === stroke.key)
  if (!same || press.altKey !== stroke.alt) return false
  // On some keyboards a sign needs Shift, on others it does not.
  const shift = /^[^a-z0-9]$/.test(stroke.key) ? !stroke.shift || press.shiftKey : press.shiftKey === stroke.shift
  // The second stroke of a chord may keep Mod pressed.
  return shift && (chord || mod === stroke.mod)
}

/** With Shift, a key prints another sign than the one people call it by. */
const SIGN_PLACES: Readonly<Record<string, string>> = { BracketLeft: '[', BracketRight: ']', Slash: '/', Minus: '-', Equal: '=', Comma: ',', Period: '.', Semicolon: ';', Quote: "'", Backslash: '\\', Backquote: '`' }

function keyOf(press: Press): string {
  const key = press.key === ' ' ? 'space' : press.key.toLowerCase()
  if (/^[a-z]$/.test(key)) return key
  const place = /^Key([A-Z])$/.exec(press.code)?.[1]?.toLowerCase()
  return place ?? key
}

/** A press as a shortcut's stroke; null while only keys like Shift are down. */
export function written(press: Press, mac: boolean): string | null {
  if (['Control', 'Meta', 'Shift', 'Alt', 'AltGraph', 'Dead', 'Process', 'Unidentified'].includes(press.key)) return null
  const key = keyOf(press)
  const sign = /^[^a-z0-9]$/.test(key)
  const name = key.length === 1 ? key.toUpperCase() : key === 'space' ? 'Space' : press.key
  const mod = mac ? press.metaKey || press.ctrlKey : press.ctrlKey
  return [...(mod ? ['Mod'] : []), ...(press.altKey ? ['Alt'] : []), ...(press.shiftKey && !sign ? ['Shift'] : []), name].join('+')
}

const MOVES = /^(?:arrow.*|home|end|backspace|delete)$/

/** It writes, moves or edits in a text, and so means a command only outside of one. */
export function types({ key, mod, shift, alt }: Stroke): boolean {
  // Ctrl+R is vim's redo.
  if (mod && !alt) return MOVES.test(key) || (shift ? key === 'z' : /^[acrvxyz]$/.test(key))
  if (alt || /^f\d+$/.test(key)) return false
  return !(key === 'enter' && shift)
}

/** One is the other, or its beginning: both cannot be reached. */
export function collide(one: string, other: string): boolean {
  const [a, b] = [canonical(one), canonical(other)]
  return a.every((stroke, at) => at >= b.length || stroke === b[at])
}

function canonical(shortcut: string): readonly string[] {
  return parse(shortcut).map(({ key, mod, shift, alt }, at) => `${mod && at === 0} ${shift} ${alt} ${key}`)
}

const SIGNS: Readonly<Record<string, string>> = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→' }
/** What is printed on the keys, in some languages. */
const PRINTED: Readonly<Record<string, string>> = {
  Mod: msg('Ctrl'), Shift: msg('Shift'), Space: msg('Space'), Home: msg('Home'), End: msg('End'), PageUp: msg('PageUp'), PageDown: msg('PageDown'),
}

/** As people read it: "Ctrl+M A", or "⌘M A" on a Mac. */
export function shown(shortcut: string, mac: boolean): string {
  const text = shortcut.replace(/Arrow(?:Up|Down|Left|Right)/g, (name) => SIGNS[name]!)
  if (!mac) return text.replace(/[A-Z][A-Za-z]+/g, (name) => (Object.hasOwn(PRINTED, name) ? t(PRINTED[name]!) : name))
  return text.replaceAll('Mod+', '⌘').replaceAll('Shift+', '⇧').replaceAll('Alt+', '⌥').replaceAll('Enter', '↩')
}
