/** Threads in an editor: their ranges coloured, a press on one of them, and a button beside what is selected. */
import { StateEffect, StateField, type Extension } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { t } from '../../i18n'

export interface Highlight {
  readonly thread: string
  readonly from: number
  readonly to: number
  readonly focused: boolean
}

const show = StateEffect.define<readonly Highlight[]>()

const shown = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    let next = set.map(transaction.changes)
    for (const effect of transaction.effects) if (effect.is(show)) next = decorated(effect.value, transaction.newDoc.length)
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})

function decorated(highlights: readonly Highlight[], length: number): DecorationSet {
  const inside = highlights.map((one) => ({ ...one, to: Math.min(one.to, length) })).filter(({ from, to }) => from < to)
  const ranges = inside.map(({ thread, from, to, focused }) => Decoration.mark({ class: focused ? 'talked talked-focused' : 'talked', attributes: { 'data-thread': thread } }).range(from, to))
  return Decoration.set(ranges, true)
}

export interface Wishes {
  readonly press: (thread: string) => void
  /** Null: this person may not comment. */
  readonly comment: (() => void) | null
}

function extension({ press, comment }: Wishes): Extension {
  const pressed = EditorView.domEventHandlers({
    click: (event) => {
      const thread = (event.target as Element).closest?.('[data-thread]')?.getAttribute('data-thread')
      if (thread) press(thread)
      return false
    },
  })
  return [shown, pressed, comment ? ViewPlugin.define((view) => new Offer(view, comment)) : []]
}

/** The button at the right of the selection. */
class Offer {
  private readonly button = document.createElement('button')

  constructor(
    private readonly view: EditorView,
    comment: () => void,
  ) {
    const { button } = this
    button.type = 'button'
    button.className = 'talk-offer'
    button.hidden = true
    button.title = t('Comment on the selection')
    button.setAttribute('aria-label', t('Comment on the selection'))
    button.innerHTML = '<svg width="16" height="16" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M22 17a2 2 0 0 1-2 2H6.8a2 2 0 0 0-1.4.6l-2.2 2.2A.7.7 0 0 1 2 21.3V5a2 2 0 0 1 2-2h16a2 2 0 0 1 2 2z"/><path d="M12 8v6"/><path d="M9 11h6"/></svg>'
    button.addEventListener('mousedown', (event) => event.preventDefault())
    button.addEventListener('click', comment)
    view.dom.append(button)
    // Something may be selected by now.
    this.place()
  }

  update(update: ViewUpdate): void {
    if (update.selectionSet || update.docChanged || update.geometryChanged || update.focusChanged) this.place()
  }

  private place(): void {
    this.view.requestMeasure({
      key: this,
      read: (view) => {
        const { main } = view.state.selection
        if (main.empty || !view.hasFocus) return null
        const at = view.coordsAtPos(main.head)
        return at && at.top - view.dom.getBoundingClientRect().top
      },
      write: (top) => {
        this.button.hidden = top === null
        if (top !== null) this.button.style.top = `${Math.max(2, top - 5)}px`
      },
    })
  }

  destroy(): void {
    this.button.remove()
  }
}

/** Colour these ranges, from now on also while they are edited. */
export function highlight(view: EditorView, highlights: readonly Highlight[], wishes: Wishes): void {
  const known = view.state.field(shown, false) !== undefined
  view.dispatch({ effects: [...(known ? [] : [StateEffect.appendConfig.of(extension(wishes))]), show.of(highlights)] })
}
