/** Keys pressed in a frame that mean something to the page. What the output uses itself, and what writes in a field, stays here. */
import { matches } from '../../model/shortcut'
import type { KeysAsked, KeyWish } from './wire'

const FIELD = 'input, textarea, select, [contenteditable]:not([contenteditable="false"])'

let asked: KeysAsked = { mac: false, keys: [] }

export function heed(keys: KeysAsked): void {
  asked = keys
}

export function listen(tell: (wish: KeyWish) => void): void {
  // The last to hear of a key: an output that has a use for it has prevented its default, or stopped it, by now.
  window.addEventListener('keydown', (event) => {
    if (!event.isTrusted || event.defaultPrevented || event.isComposing) return
    const field = event.target instanceof Element && event.target.closest<HTMLElement>(FIELD)
    if (event.key === 'Escape') {
      // As in a cell: the first leaves the text, the next what it stands in.
      if (field) field.blur()
      else tell('back')
      return
    }
    const found = asked.keys.find(({ stroke }) => (stroke.mod || !field) && matches(stroke, event, asked.mac, false))
    if (!found) return
    event.preventDefault()
    if (!event.repeat) tell(found.wish)
  })
}
