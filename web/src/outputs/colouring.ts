/** Python in the colours of its grammar; a file of its own, so that it brings no more than that with it. */
import { pythonLanguage } from '@codemirror/lang-python'
import { classHighlighter, highlightCode } from '@lezer/highlight'

/** Puts colours into an element that holds nothing but code; its text stays the same. */
export function colourPython(code: HTMLElement): void {
  const source = code.textContent ?? ''
  const pieces: (Node | string)[] = []
  const put = (text: string, classes: string) => {
    if (classes === '') return void pieces.push(text)
    const piece = document.createElement('span')
    piece.className = classes
    piece.textContent = text
    pieces.push(piece)
  }
  highlightCode(source, pythonLanguage.parser.parse(source), classHighlighter, put, () => pieces.push('\n'))
  code.replaceChildren(...pieces)
}
