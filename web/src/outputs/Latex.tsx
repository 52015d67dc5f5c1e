/** text/latex: a formula, as SymPy and IPython.display.Math give it. */
import { useLayoutEffect, useRef } from 'react'
import { latexPieces, setMath } from './math'

export function Latex({ source }: { source: string }) {
  const root = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const pieces = latexPieces(source).map(({ tex, display }) => {
      const code = document.createElement('code')
      code.className = display ? 'math-block' : 'math-inline'
      code.textContent = tex
      return code
    })
    root.current?.replaceChildren(...pieces)
    if (root.current) setMath(root.current)
  }, [source])
  return <div className="output-latex" ref={root} />
}
