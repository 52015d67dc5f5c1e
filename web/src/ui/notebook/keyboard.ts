/** The keyboard of a notebook: shortcuts and chords, from the command table. */
import { useEffect } from 'react'
import { matches, parse, type Stroke } from '../../model/shortcut'
import { notify } from '../kit'
import { type Command, usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import type { Desk } from './desk'

const CHORD_WITHIN_MS = 2000
export const mac = /Mac|iPhone|iPad/.test(navigator.platform)

interface Binding {
  readonly command: Command
  readonly strokes: readonly Stroke[]
}

const SAVE: Command = {
  id: 'save',
  name: 'Save',
  keys: ['Mod+S'],
  run: (desk) => {
    const waiting = desk.room.unsaved.getState()
    const { connection } = desk.room.state.getState()
    if (connection !== 'online') notify({ title: 'Offline', detail: 'Your edits are kept in this browser, and saved as soon as the server answers.' })
    else notify({ title: waiting === 0 ? 'Everything is saved' : 'Saving…', detail: 'Collegium saves every keystroke as you type.', kind: 'good' })
  },
}

const BINDINGS: readonly Binding[] = [...COMMANDS, SAVE].flatMap((command) => (command.keys ?? []).map((keys) => ({ command, strokes: parse(keys) })))

export function useKeyboard(desk: Desk | null): void {
  useEffect(() => {
    if (!desk) return
    let chord: readonly Binding[] | null = null
    let timer: ReturnType<typeof setTimeout>
    const pressed = (event: KeyboardEvent) => {
      if (event.isComposing || ['Control', 'Meta', 'Shift', 'Alt'].includes(event.key)) return
      const where = place(event.target)
      if (where === 'elsewhere') return
      const started = chord
      chord = null
      clearTimeout(timer)
      const fitting = (started ?? BINDINGS).filter(({ strokes, command }) => {
        if (started === null && command.outside && where !== 'cells' && strokes.length === 1) return false
        return matches(strokes[started ? 1 : 0]!, event, mac, started !== null)
      })
      if (started) event.preventDefault()
      const whole = fitting.find(({ strokes }) => strokes.length === (started ? 2 : 1))
      if (whole) {
        event.preventDefault()
        event.stopPropagation()
        if (usable(whole.command, desk)) whole.command.run(desk)
      } else if (fitting.length > 0) {
        event.preventDefault()
        event.stopPropagation()
        chord = fitting
        timer = setTimeout(() => (chord = null), CHORD_WITHIN_MS)
      } else if (started) event.stopPropagation()
    }
    document.addEventListener('keydown', pressed, { capture: true })
    return () => {
      document.removeEventListener('keydown', pressed, { capture: true })
      clearTimeout(timer)
    }
  }, [desk])
}

/** In a cell's text; on a cell or nowhere in particular; or in something with keys of its own. */
function place(target: EventTarget | null): 'text' | 'cells' | 'elsewhere' {
  if (!(target instanceof Element)) return 'cells'
  if (target.closest('.source')) return 'text'
  if (target.closest('[data-keys="own"], [role="dialog"], [role="alertdialog"], [role="menu"], input, textarea, select, [contenteditable="true"]')) return 'elsewhere'
  if (target === document.body || target.getAttribute('role') === 'listitem') return 'cells'
  return 'text'
}
