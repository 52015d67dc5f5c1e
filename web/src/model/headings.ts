/** The headings in a text cell, as people read them. */
import type { CellId } from './wire'

export interface Head {
  readonly level: number
  readonly text: string
}
export interface Heading extends Head {
  readonly cell: CellId
}

export function headingsIn(source: string): Head[] {
  if (!source.includes('#')) return []
  const prose = source.replace(/^(```|~~~)[\s\S]*?^\1.*$/gm, '')
  return [...prose.matchAll(/^(#{1,6})[ \t]+(.+?)[ \t]*#*$/gm)].map(([, marks, text]) => ({ level: marks!.length, text: plain(text!) }))
}

/** The rank of the section that a cell with these headings begins. */
export const levelOf = (heads: readonly Head[] | undefined): number | null => (heads === undefined || heads.length === 0 ? null : Math.min(...heads.map(({ level }) => level)))

/** Without the marks of emphasis, code and links. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>/g, '')
    .replace(/`([^`]*)`/g, '$1')
    .replace(/(\*\*|__|~~)(.+?)\1/g, '$2')
    .replace(/(^|[^\w*])[*_](\S(?:.*?\S)?)[*_](?!\w)/g, '$1$2')
    .replace(/\\([\\`*_{}[\]()#+.!~$-])/g, '$1')
    .trim()
}
