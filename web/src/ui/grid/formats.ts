/** The words of cells: on the screen, and when they are copied. */
import type { Column } from '../../api/looking'
import type { Cell } from './blocks'

export const isCut = (cell: Cell | undefined): cell is [string, number] => Array.isArray(cell)
export const wordsOf = (cell: Cell): string | null => (isCut(cell) ? cell[0] : cell)

const exact = new Intl.NumberFormat('en', { maximumFractionDigits: 6, useGrouping: false })

/** As it stands in the grid: numbers with at most six places, since the whole is shown when one points at it. */
export function shownCell(cell: Cell, kind: Column['kind']): string {
  const words = wordsOf(cell)
  if (words === null) return ''
  if (kind === 'number' && /^-?\d+\.\d{7,}$/.test(words)) {
    const value = Number(words)
    return Math.abs(value) >= 1e-4 || value === 0 ? exact.format(value) : value.toExponential(4)
  }
  if (kind === 'time') return words.replace(/ 00:00:00$/, '')
  return words.length > 0 ? words.replace(/[\r\n\t]+/g, ' ') : words
}

export type Format = 'csv' | 'tsv' | 'markdown'
type Line = readonly (string | null)[]

const quoted = (words: string) => (/[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words)
const flat = (words: string) => words.replace(/[\t\r\n]+/g, ' ')
const piped = (words: string) => words.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replace(/[\r\n]+/g, ' ')

/** Cells as text for another program. What stands alone is copied without a head. */
export function copiedCells(head: readonly Pick<Column, 'name' | 'kind'>[], rows: readonly Line[], format: Format): string {
  if (format !== 'markdown' && head.length === 1 && rows.length === 1) return rows[0]?.[0] ?? ''
  const names = head.map(({ name }) => name)
  switch (format) {
    case 'csv':
      return [names, ...rows].map((line) => line.map((words) => quoted(words ?? '')).join(',')).join('\n')
    case 'tsv':
      return [names, ...rows].map((line) => line.map((words) => flat(words ?? '')).join('\t')).join('\n')
    case 'markdown': {
      const line = (cells: Line) => `| ${cells.map((words) => piped(words ?? '')).join(' | ')} |`
      return [line(names), `| ${head.map(({ kind }) => (kind === 'number' ? '---:' : '---')).join(' | ')} |`, ...rows.map(line)].join('\n')
    }
  }
}
