/** What the language server says of the cells, shown in the editors that are alive: a far cell costs nothing. */
import { type Diagnostic as Marked, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { type Extension, Prec, StateEffect } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'
import { t } from '../i18n'
import type { CellId } from '../model/wire'
import { settings } from '../settings/store'
import type { Desk } from '../ui/notebook/desk'
import { offsetOf } from './changes'
import { goToDefinition, problemsOf, quickFixes } from './doing'
import type { Language } from './language'
import type { Diagnostic } from './protocol'

const LOOK = EditorView.theme({
  '.cm-lintRange': { backgroundImage: 'none', textDecorationSkipInk: 'none', textUnderlineOffset: '3px' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--bad) 1px' },
  '.cm-lintRange-warning': { textDecoration: 'underline wavy var(--busy) 1px' },
  '.cm-lintRange-info': { textDecoration: 'underline dotted var(--ink-soft) 1px' },
  '.cm-lintRange-hint': { opacity: '0.6' },
  '.cm-lintRange-active': { backgroundColor: 'var(--accent-soft)' },
  '.cm-diagnostic': { fontFamily: 'var(--font-ui)', fontSize: '13px', lineHeight: '19px', padding: '8px 14px', maxWidth: 'min(560px, 90vw)', borderLeft: '3px solid var(--bad)', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--busy)' },
  '.cm-problem-code': { color: 'var(--ink-soft)', fontFamily: 'var(--font-code)', fontSize: '12px' },
  '.cm-diagnosticAction': { display: 'block', margin: '6px 0 0', padding: '3px 10px', font: 'inherit', color: 'var(--accent)', backgroundColor: 'transparent', border: '1px solid var(--line)', borderRadius: 'var(--radius-sm)', cursor: 'pointer' },
  '.cm-diagnostic-info, .cm-diagnostic-hint': { borderLeftColor: 'var(--line)' },
})

export class Editors {
  private language: Language | null = null
  private readonly shown = new Map<EditorView, string>()
  private readonly farewells: (() => void)[]
  private unfollow: (() => void) | null = null

  constructor(private readonly desk: Desk) {
    this.farewells = [desk.editors.subscribe(() => this.draw()), desk.outline.subscribe(() => this.count()), settings.subscribe((now, before) => now.editor.diagnostics !== before.editor.diagnostics && this.anew())]
  }

  close(): void {
    this.unfollow?.()
    for (const farewell of this.farewells) farewell()
  }

  follow(language: Language | null): void {
    this.unfollow?.()
    this.language = language
    this.unfollow = language?.problems.subscribe(this.anew) ?? null
    this.anew()
  }

  private readonly anew = (): void => {
    this.count()
    this.draw()
  }

  private count(): void {
    const found = this.language ? problemsOf(this.desk, this.language) : []
    const of = (wanted: Diagnostic['severity']) => found.filter(({ problem: { severity } }) => severity === wanted).length
    const errors = of('error')
    const warnings = of('warning')
    const { problems } = this.desk
    if (errors !== problems.getState().errors || warnings !== problems.getState().warnings) problems.setState({ errors, warnings })
  }

  private draw(): void {
    const editors = this.desk.editors.getState()
    for (const view of this.shown.keys()) if (![...editors.values()].includes(view)) this.shown.delete(view)
    for (const [cell, view] of editors) if (this.desk.type(cell) === 'code') this.drawOne(cell, view)
  }

  private drawOne(cell: CellId, view: EditorView): void {
    const found = this.language?.shown(cell, settings.getState().editor.diagnostics) ?? []
    // What is said of another text than stands here is said again in a moment.
    if (found.length > 0 && this.language?.told(cell) !== view.state.doc.toString()) return
    const key = JSON.stringify(found)
    const before = this.shown.get(view)
    if (before === undefined && this.language) {
      view.dispatch({ effects: StateEffect.appendConfig.of([LOOK, this.pointing(cell), Prec.low(keymap.of(lintKeymap))]) })
    }
    if (before === key || (before === undefined && found.length === 0)) {
      if (before === undefined && this.language) this.shown.set(view, key)
      return
    }
    this.shown.set(view, key)
    view.dispatch(setDiagnostics(view.state, found.map((one) => this.marked(cell, view, one))))
  }

  private marked(cell: CellId, view: EditorView, problem: Diagnostic): Marked {
    const text = view.state.doc.toString()
    const from = offsetOf(text, problem.range.start)
    const to = Math.max(from, offsetOf(text, problem.range.end))
    return { from, to: to === from ? Math.min(text.length, from + 1) : to, severity: problem.severity, message: problem.message, renderMessage: () => this.message(cell, problem) }
  }

  private message(cell: CellId, problem: Diagnostic): HTMLElement {
    const element = document.createElement('div')
    const code = document.createElement('span')
    code.className = 'cm-problem-code'
    code.textContent = problem.code === '' ? '' : ` ${problem.code}`
    element.append(problem.message.split('\n\ninfo:')[0]!, code)
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'cm-diagnosticAction'
    button.textContent = t('Quick fix')
    button.addEventListener('click', () => this.language && void quickFixes(this.desk, this.language, cell, problem, button))
    element.append(button)
    return element
  }

  /** With Ctrl or Cmd held, a name leads to where it comes from. */
  private pointing(cell: CellId): Extension {
    return EditorView.domEventHandlers({
      mousedown: (event, view) => {
        if (event.button !== 0 || event.altKey || event.shiftKey || !(event.ctrlKey || event.metaKey) || !this.language) return false
        const pos = view.posAtCoords({ x: event.clientX, y: event.clientY })
        if (pos === null || !view.state.wordAt(pos)) return false
        event.preventDefault()
        void goToDefinition(this.desk, this.language, cell, pos)
        return true
      },
    })
  }
}
