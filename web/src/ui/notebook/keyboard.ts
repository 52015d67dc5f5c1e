/** The keyboard of a notebook: shortcuts and chords, from the command table. */
import { useEffect } from 'react'
import { matches } from '../../model/shortcut'
import { settings } from '../../settings/store'
import { type Binding, bindingsOf, mac } from '../commands/keys'
import { usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import type { Desk } from './desk'
import { Modifiers } from './modifiers'
import { hearOutputs } from './outputKeys'

const CHORD_WITHIN_MS = 2000
const MODIFIERS: readonly string[] = ['Control', 'Meta', 'Shift', 'Alt']

export function useKeyboard(desk: Desk | null): void {
  useEffect(() => {
    if (!desk) return
    let bindings = bindingsOf(COMMANDS, settings.getState().keys)
    const unsubscribe = settings.subscribe(({ keys }, before) => {
      if (keys !== before.keys) bindings = bindingsOf(COMMANDS, keys)
    })
    let chord: readonly Binding[] | null = null
    let timer: ReturnType<typeof setTimeout>
    const modifiers = new Modifiers()
    const released = (event: KeyboardEvent) => modifiers.released(event.key)
    const lost = () => modifiers.lost(document.activeElement?.matches('iframe') ?? false)
    const pressed = (event: KeyboardEvent) => {
      if (MODIFIERS.includes(event.key)) return modifiers.pressed(event.key)
      if (!modifiers.own(event)) {
        event.preventDefault()
        event.stopPropagation()
        return
      }
      // AltGr writes a letter, though it looks like Ctrl and Alt.
      if (event.isComposing || event.getModifierState('AltGraph')) return
      const where = place(event.target)
      if (where === 'closed') return
      // A key held down begins no second stroke.
      if (chord !== null && event.repeat) return event.preventDefault()
      const started = chord
      chord = null
      clearTimeout(timer)
      const at = started ? 1 : 0
      const fitting = (started ?? bindings).filter(({ strokes, where: means, command }) => {
        if (strokes.length <= at || (means === 'cells' && where !== 'cells') || (means === 'text' && where !== 'text')) return false
        return (where !== 'field' || command.everywhere === true) && matches(strokes[at]!, event, mac, at > 0)
      })
      if (started) event.preventDefault()
      const whole = fitting.filter(({ strokes }) => strokes.length === at + 1)
      const found = whole.find(({ command }) => usable(command, desk))
      if (found) {
        event.preventDefault()
        event.stopPropagation()
        found.command.run(desk)
      } else if (whole.length > 0) {
        // What cannot be done now may still mean something to the text; to the browser it shall mean nothing.
        if (where !== 'text') event.preventDefault()
      } else if (fitting.length > 0) {
        event.preventDefault()
        event.stopPropagation()
        chord = fitting
        timer = setTimeout(() => (chord = null), CHORD_WITHIN_MS)
      } else if (started) event.stopPropagation()
    }
    const deafen = hearOutputs(desk)
    document.addEventListener('keydown', pressed, { capture: true })
    document.addEventListener('keyup', released, { capture: true })
    addEventListener('blur', lost)
    return () => {
      unsubscribe()
      deafen()
      document.removeEventListener('keydown', pressed, { capture: true })
      document.removeEventListener('keyup', released, { capture: true })
      removeEventListener('blur', lost)
      clearTimeout(timer)
    }
  }, [desk])
}

/** In a cell's text; on a cell or nowhere in particular; in a field of the page; or in something with keys of its own. */
function place(target: EventTarget | null): 'text' | 'cells' | 'field' | 'closed' {
  if (!(target instanceof Element)) return 'cells'
  // What is on its way out has the focus for a moment still.
  if (target.closest('[data-closed]')) return 'cells'
  // A panel that has just come has the focus as a whole; the keys are those of what is in it.
  if (target.matches('aside')) return 'text'
  if (target.closest('[data-keys="own"], [role="dialog"], [role="alertdialog"], [role="menu"]')) return 'closed'
  if (target.closest('.source')) return 'text'
  if (target.closest('input, textarea, select, [contenteditable="true"]')) return 'field'
  if (target === document.body || target.getAttribute('role') === 'listitem') return 'cells'
  return 'text'
}
