/** The beginning of a CSV or TSV file as a table. */
import Papa from 'papaparse'
import { useEffect, useMemo, useRef, useState } from 'react'
import { t, tn } from '../../i18n'
import { number } from '../../i18n/formats'

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** There is more in the file than is here. */
  readonly more: boolean
  readonly columnsLeftOut: number
}

export const ROWS_MAX = 1000
export const COLUMNS_MAX = 100
const CELL_MAX = 500
const STEP = 100

export function tableOf(text: string, tabs: boolean, whole: boolean): Table {
  const { data } = Papa.parse<string[]>(text, { delimiter: tabs ? '\t' : '', preview: ROWS_MAX + 2, skipEmptyLines: 'greedy' })
  const found = data.filter(Array.isArray)
  // The last line of a cut text may be half a line.
  const lines = !whole && found.length < ROWS_MAX + 2 ? found.slice(0, -1) : found
  const [head = [], ...rows] = lines
  const width = Math.max(0, ...lines.map((line) => line.length))
  const cut = (line: readonly string[]) => line.slice(0, COLUMNS_MAX).map((cell) => (cell.length > CELL_MAX ? `${cell.slice(0, CELL_MAX)}…` : cell))
  return { head: cut(head), rows: rows.slice(0, ROWS_MAX).map(cut), more: !whole || rows.length > ROWS_MAX, columnsLeftOut: Math.max(0, width - COLUMNS_MAX) }
}

export function TableFile({ text, tabs, whole, label }: { text: string; tabs: boolean; whole: boolean; label: string }) {
  const { head, rows, more, columnsLeftOut } = useMemo(() => tableOf(text, tabs, whole), [text, tabs, whole])
  const [shown, setShown] = useState(STEP)
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (shown >= rows.length || end.current === null) return
    const observer = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && setShown((shown) => shown + STEP), { rootMargin: '600px' })
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [shown, rows.length])
  if (head.length === 0) return <p className="file-note">{t('The file is empty.')}</p>
  const width = Math.max(head.length, ...rows.map((row) => row.length))
  const columns = Array.from({ length: width }, (_, at) => at)
  // Columns of numbers line up at their ends.
  const numeric = columns.map((at) => rows.length > 0 && rows.slice(0, 50).every((row) => (row[at] ?? '') === '' || Number.isFinite(Number(row[at]))))
  return (
    <div className="file-table" tabIndex={0} role="region" aria-label={label}>
      <table aria-rowcount={rows.length + 1} aria-colcount={width + 1}>
        <thead>
          <tr>
            <td />
            {columns.map((at) => (
              <th key={at} scope="col" className={numeric[at] ? 'file-number' : undefined}>
                {head[at] ?? ''}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row, line) => (
            <tr key={line} aria-rowindex={line + 2}>
              <th scope="row">{line + 1}</th>
              {columns.map((at) => (
                <td key={at} className={numeric[at] ? 'file-number' : undefined} title={(row[at]?.length ?? 0) > 40 ? row[at] : undefined}>
                  {row[at] ?? ''}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div ref={end} />
      <p className="file-note">
        {more ? t('The first {count} rows.', { count: number(rows.length) }) : tn('{count} row.', '{count} rows.', rows.length)}
        {columnsLeftOut > 0 && ` ${tn('{count} more column is left out.', '{count} more columns are left out.', columnsLeftOut)}`}
      </p>
    </div>
  )
}
