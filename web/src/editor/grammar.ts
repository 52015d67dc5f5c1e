/**
 * Which grammar reads a cell: that of its language, or, under a cell magic as `%%bash`, that of what the magic takes.
 * All but Python's comes when it is first needed; until then, and without it, there is plain text.
 */
import { Compartment, type Extension } from '@codemirror/state'
import { type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import type { Grammar } from './grammars'
import { endingOf, magicLines } from './magics'
import { python } from './python'

const grammar = new Compartment()

async function fetched(language: Grammar, ending: string | null): Promise<Extension> {
  const { byEnding, foreign } = await import('./grammars')
  if (ending !== null) return byEnding(ending)
  return language === 'markdown' ? byEnding('md') : language === 'plain' || language === 'code' || language === 'python' ? [] : foreign(language)
}

class Reading {
  private ending: string | null = null
  private over = false

  constructor(
    private readonly view: EditorView,
    private readonly language: Grammar,
  ) {
    if (language !== 'python') this.fetch()
    else this.read()
  }

  update({ docChanged }: ViewUpdate): void {
    if (docChanged && this.language === 'python') this.read()
  }

  destroy(): void {
    this.over = true
  }

  private read(): void {
    const ending = endingOf(this.view.state.doc.line(1).text)
    if (ending === this.ending) return
    this.ending = ending
    if (ending === null || ending === 'py') queueMicrotask(() => this.put(ending, python()))
    else this.fetch()
  }

  private fetch(): void {
    const { ending } = this
    fetched(this.language, ending).then((extension) => this.put(ending, extension), () => undefined)
  }

  private put(ending: string | null, extension: Extension): void {
    if (!this.over && ending === this.ending) this.view.dispatch({ effects: grammar.reconfigure(extension) })
  }
}

export function grammarOf(language: Grammar): Extension {
  if (language === 'code' || language === 'plain') return []
  const isPython = language === 'python'
  return [grammar.of(isPython ? python() : []), isPython ? magicLines : [], ViewPlugin.define((view) => new Reading(view, language))]
}
