/** Letters that are not seen, and may make code read otherwise than it runs: marked wherever source is shown. */
import { highlightSpecialChars } from '@codemirror/view'

/** Directions and spaces without a width. Joiners are left alone: languages and emoji are written with them. */
const UNSEEN = /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/

/** In an editor, each is a dot with its name, and turns nothing around. */
export const unseenMarked = highlightSpecialChars({ addSpecialChars: new RegExp(UNSEEN, 'g') })

/** The text in pieces; every second one is such a letter. */
export const unseenApart = (text: string): readonly string[] => (UNSEEN.test(text) ? text.split(new RegExp(`(${UNSEEN.source})`)) : [text])

/** Text for the page in which each has an element of its own, so that it is marked, and its direction ends with it. */
export function textWithMarks(text: string): Node {
  const pieces = unseenApart(text)
  if (pieces.length === 1) return document.createTextNode(text)
  const whole = document.createDocumentFragment()
  pieces.forEach((piece, at) => {
    if (at % 2 === 0) return whole.append(piece)
    const mark = document.createElement('span')
    mark.className = 'unseen'
    mark.textContent = piece
    whole.append(mark)
  })
  return whole
}
