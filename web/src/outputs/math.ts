/** Formulas, set by KaTeX, which is fetched when the first one appears. */
import type { KatexOptions } from 'katex'

let loading: Promise<typeof import('katex')> | undefined
let ready: typeof import('katex') | undefined

function load(): Promise<typeof import('katex')> {
  loading ??= Promise.all([import('katex'), import('katex/dist/katex.min.css')]).then(([katex]) => {
    ready = katex
    return katex
  })
  return loading
}

const OPTIONS: KatexOptions = { throwOnError: false, trust: false, strict: 'ignore', maxSize: 40, maxExpand: 1000, output: 'htmlAndMathml' }
/** A formula longer than this is shown as it was written. */
const TEX_MAX = 20_000

function set(katex: typeof import('katex'), element: HTMLElement, tex: string, displayMode: boolean): void {
  const span = document.createElement('span')
  span.className = displayMode ? 'math math-display' : 'math'
  katex.default.render(tex, span, { ...OPTIONS, displayMode })
  element.replaceWith(span)
}

/** Sets every formula below `root` that waits as text; at once when KaTeX is here, otherwise as soon as it is. */
export function setMath(root: ParentNode): void {
  const waiting = [...root.querySelectorAll<HTMLElement>('code.math-inline, code.math-block')].filter((one) => (one.textContent ?? '').length <= TEX_MAX)
  if (waiting.length === 0) return
  const all = (katex: typeof import('katex')) => {
    for (const one of waiting) set(katex, one, one.textContent ?? '', one.classList.contains('math-block'))
  }
  if (ready !== undefined) all(ready)
  else load().then(all, () => {
    // Without KaTeX the formula stays readable as TeX; the next one tries again.
    loading = undefined
  })
}

/** What text/latex holds, as pieces: TeX between its delimiters, and the text around it. */
export function latexPieces(source: string): readonly { readonly tex: string; readonly display: boolean }[] {
  const trimmed = source.trim()
  const whole = /^\$\$([\s\S]*)\$\$$/.exec(trimmed) ?? /^\\\[([\s\S]*)\\\]$/.exec(trimmed)
  if (whole?.[1] !== undefined && !whole[1].includes('$$')) return [{ tex: whole[1], display: true }]
  const inline = /^\$([^$]*)\$$/.exec(trimmed) ?? /^\\\(([\s\S]*)\\\)$/.exec(trimmed)
  if (inline?.[1] !== undefined) {
    const tex = inline[1].replace(/^\s*\\displaystyle\s*/, '')
    return [{ tex, display: tex !== inline[1] }]
  }
  return [{ tex: trimmed, display: true }]
}

/** Whether this stood between two dollar signs as a formula: Pandoc's rule against prices, except that TeX's own signs are believed. */
export function isFormula(tex: string, following: string): boolean {
  if (tex.trim() === '') return false
  if (/[\\^_{}]/.test(tex)) return true
  return !/^\s|\s$/.test(tex) && !/\d/.test(following)
}
