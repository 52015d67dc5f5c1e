/** The headings of a notebook's text cells, as its table of contents. */
import type * as Y from 'yjs'
import { cellOf, order, textOf, typeOf } from './notebook'
import type { CellId } from './wire'

export interface Heading {
  readonly cell: CellId
  readonly level: number
  readonly text: string
}

export function headings(doc: Y.Doc): Heading[] {
  return order(doc).flatMap((cell) => {
    const map = cellOf(doc, cell)!
    return typeOf(map) === 'markdown' ? headingsIn(textOf(map).toString()).map((heading) => ({ cell, ...heading })) : []
  })
}

export function headingsIn(source: string): { level: number; text: string }[] {
  const prose = source.replace(/^(```|~~~)[\s\S]*?^\1.*$/gm, '')
  return [...prose.matchAll(/^(#{1,6})[ \t]+(.+?)[ \t]*#*$/gm)].map(([, marks, text]) => ({ level: marks!.length, text: plain(text!) }))
}

/** Without the marks of emphasis, code and links. */
function plain(text: string): string {
  return text.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/<[^>]+>/g, '').replace(/[*_`]+/g, '').trim()
}
