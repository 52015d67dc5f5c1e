/** The keyboard of a notebook: shortcuts and chords, from the command table. */
import { useEffect } from 'react'
import { matches } from '../../model/shortcut'
import { theftOf } from '../../outputs/theft'
import { settings } from '../../settings/store'
import { type Binding, bindingsOf, mac } from '../commands/keys'
import { usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import { t } from '../../i18n'
import { notify } from '../kit'
import type { Desk } from './desk'
import { cutsOrPastes, Handover, moves, RUN } from './handover'
import { Modifiers } from './modifiers'
import { hearOutputs, runsCells } from './outputKeys'

const CHORD_WITHIN_MS = 2000
const TEXT = '.source'
const FIELD = 'input, textarea, select, [contenteditable="true"]'
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
    const handover = new Handover()
    const lost = (event: Event) => {
      const theft = theftOf(event)
      if (theft) {
        modifiers.robbed()
        // Who wrote in a text writes on in it. Elsewhere a letter is a command.
        if (!writes(theft.from)) handover.lend()
        return
      }
      const toOutput = document.activeElement?.matches('iframe') ?? false
      modifiers.lost(toOutput)
      if (toOutput) handover.lend()
    }
    const clicked = () => handover.takeBack()
    /** Whether it is done, though an output had the keyboard until now. */
    const admitted = (event: KeyboardEvent, what: string, deliberate: boolean): boolean => {
      const answer = handover.admits(what, deliberate, event.timeStamp)
      if (answer === 'yes') return true
      event.preventDefault()
      event.stopPropagation()
      chord = null
      if (answer === 'no') return false
      handover.tell(what, event.timeStamp)
      notify({ title: t('The output had the keyboard'), detail: t('What you typed did nothing. Press Escape, and the keys are the notebook’s again.') })
      return false
    }
    const pressed = (event: KeyboardEvent) => {
      if (MODIFIERS.includes(event.key)) return modifiers.pressed(event.key)
      if (!modifiers.own(event)) {
        event.preventDefault()
        event.stopPropagation()
        return
      }
      handover.pressed(event)
      // AltGr writes a letter, though it looks like Ctrl and Alt.
      if (event.isComposing || event.getModifierState('AltGraph')) return
      const where = place(event.target)
      if (where === 'closed' || where === 'own') {
        // What is typed in a dialog is seen there; Enter would do it.
        if (event.key === 'Enter') return void admitted(event, 'enter', true)
        if (where === 'closed') return
      }
      // A key held down begins no second stroke.
      if (chord !== null && event.repeat) return event.preventDefault()
      const started = chord
      chord = null
      clearTimeout(timer)
      const at = started ? 1 : 0
      const fitting = (started ?? bindings).filter(({ strokes, where: means, command }) => {
        if (strokes.length <= at || (means === 'cells' && where !== 'cells') || (means === 'text' && where !== 'text')) return false
        return ((where !== 'field' && where !== 'own') || command.everywhere === true) && matches(strokes[at]!, event, mac, at > 0)
      })
      if (!moves(event) && ((where === 'cells' && cutsOrPastes(event)) || fitting.some(({ command }) => command.harmless !== true))) {
        const runs = fitting.some(({ command }) => runsCells(command)) && handover.toldOf(RUN)
        const held = event.ctrlKey || event.altKey || event.metaKey
        if (!admitted(event, runs ? RUN : `${event.key} ${fitting.map(({ command }) => command.id).join(' ')}`, runs || held)) return
      }
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
    const deafen = hearOutputs(desk, (at) => handover.tell(RUN, at))
    document.addEventListener('keydown', pressed, { capture: true })
    document.addEventListener('keyup', released, { capture: true })
    document.addEventListener('pointerdown', clicked, { capture: true })
    addEventListener('blur', lost)
    return () => {
      unsubscribe()
      deafen()
      document.removeEventListener('keydown', pressed, { capture: true })
      document.removeEventListener('keyup', released, { capture: true })
      document.removeEventListener('pointerdown', clicked, { capture: true })
      removeEventListener('blur', lost)
      clearTimeout(timer)
    }
  }, [desk])
}

/**
 * In a cell's text; on a cell or nowhere in particular; in a field of the page; in something with keys of its `own`, which
 * leaves those that work everywhere; or in something that keeps them all.
 */
function place(target: EventTarget | null): 'text' | 'cells' | 'field' | 'own' | 'closed' {
  if (!(target instanceof Element)) return 'cells'
  // What is on its way out has the focus for a moment still.
  if (target.closest('[data-closed]')) return 'cells'
  // A panel that has just come has the focus as a whole; the keys are those of what is in it.
  if (target.matches('aside')) return 'text'
  // A notice calls itself a dialog, but stands over nothing.
  if (target.closest('.toasts, aside[data-keys="own"]') && !target.closest('aside [role="dialog"], aside [role="menu"]')) return 'own'
  if (target.closest('[data-keys="own"], [role="dialog"], [role="alertdialog"], [role="menu"]')) return 'closed'
  if (target.closest(TEXT)) return 'text'
  if (target.closest(FIELD)) return 'field'
  if (target === document.body || target.getAttribute('role') === 'listitem') return 'cells'
  return 'text'
}

const writes = (element: Element | null): boolean => element?.closest(`${TEXT}, ${FIELD}`) != null
