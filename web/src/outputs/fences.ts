/** Code between the fences of a text: what says that it is Python has its colours, which come with the first of it. */

/** Longer code is left as it was written. */
const CODE_MAX = 20_000
const PYTHON = 'pre > code:is(.language-python, .language-python3, .language-py, .language-ipython)'

/** Colours what is below `root`. Without what knows how, it stays readable. */
export function colourFences(root: ParentNode): void {
  const waiting = [...root.querySelectorAll<HTMLElement>(PYTHON)].filter((code) => code.childElementCount === 0 && (code.textContent ?? '').length <= CODE_MAX)
  if (waiting.length > 0) import('./colouring').then(({ colourPython }) => waiting.forEach(colourPython), () => {})
}
