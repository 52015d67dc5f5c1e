/** Formulas in the words of widgets: descriptions, labels and HTMLMath, as MathJax finds them elsewhere. */
import { isFormula, setMath } from '../../math'

const FORMULA = /\$\$([^$]+)\$\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)|\$((?:\\[\s\S]|[^$\\])+)\$/g
const LEFT_ALONE = 'pre, code, textarea, script, style, .math'

/** Sets every formula in the text of this element, now or once KaTeX is here. */
export function typeset(element: HTMLElement): void {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const texts: Text[] = []
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) texts.push(node as Text)
  for (const text of texts) {
    if (text.parentElement?.closest(LEFT_ALONE)) continue
    const parts = partsOf(text.data)
    if (parts.length > 1 || typeof parts[0] === 'object') text.replaceWith(line(parts))
  }
  setMath(element)
}

interface Formula {
  readonly tex: string
  readonly display: boolean
}

/** The text in order: words, and formulas. */
export function partsOf(text: string): readonly (string | Formula)[] {
  const parts: (string | Formula)[] = []
  let from = 0
  FORMULA.lastIndex = 0
  for (let found = FORMULA.exec(text); found !== null; found = FORMULA.exec(text)) {
    const [whole, dollars, brackets, round, dollar] = found
    if (dollar !== undefined && !isFormula(dollar, text.charAt(found.index + whole.length))) {
      // What ends this price may begin the next formula.
      FORMULA.lastIndex = found.index + whole.length - 1
      continue
    }
    if (found.index > from) parts.push(text.slice(from, found.index))
    parts.push({ tex: dollars ?? brackets ?? round ?? dollar ?? '', display: (dollars ?? brackets) !== undefined })
    from = found.index + whole.length
  }
  if (from < text.length) parts.push(text.slice(from))
  return parts
}

/** In one element, since where boxes are set side by side the space between words and formula would be lost. */
function line(parts: readonly (string | Formula)[]): HTMLElement {
  const span = document.createElement('span')
  span.append(...parts.map((part) => (typeof part === 'string' ? part : waiting(part))))
  return span
}

function waiting({ tex, display }: Formula): HTMLElement {
  const code = document.createElement('code')
  code.className = display ? 'math-block' : 'math-inline'
  code.textContent = tex
  return code
}
