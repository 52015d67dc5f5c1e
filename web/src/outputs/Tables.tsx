/** Rows and columns that come as data: application/vnd.dataresource+json, CSV and TSV. */
import { ArrowDown, ArrowUp } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { number } from '../i18n/formats'
import { t } from '../i18n'
import { isBlob } from '../model/wire'
import { type DrawnProps, Waiting } from './drawn'
import { type Grid, ordered, resourceGrid } from './grid'
import { TEXT_SHOWN_MAX, useText } from './values'

const ROWS_SHOWN = 50
const ROWS_MORE = 500

export default function Tables({ value, notebook, mime }: DrawnProps) {
  const text = useText(notebook, value, 8 * TEXT_SHOWN_MAX)
  const source = text.state === 'ready' ? text.text : null
  const [grid, setGrid] = useState<Grid | null | 'waiting'>('waiting')
  useEffect(() => {
    if (source === null) return
    let gone = false
    if (mime.startsWith('text/'))
      void import('papaparse').then(({ default: papa }) => {
        const { data } = papa.parse<string[]>(source, { delimiter: mime === 'text/csv' ? '' : '\t', skipEmptyLines: true })
        const [columns = [], ...rows] = data
        if (!gone) setGrid({ columns, rows })
      })
    else setGrid(resourceGrid(isBlob(value) || typeof value === 'string' ? source : value))
    return () => {
      gone = true
    }
  }, [source, mime, value])
  if (text.state !== 'ready') return <Waiting text={text} />
  if (grid === 'waiting') return <p className="output-hint">{t('Loading…')}</p>
  if (grid === null) return <pre className="output-plain">{text.text.slice(0, 20_000)}</pre>
  return <Table grid={grid} cut={text.cut} />
}

function Table({ grid, cut }: { grid: Grid; cut: boolean }) {
  const [shown, setShown] = useState(ROWS_SHOWN)
  const [by, setBy] = useState<{ readonly column: number; readonly down: boolean } | null>(null)
  const rows = useMemo(() => (by === null ? grid.rows : ordered(grid.rows, by.column, by.down)), [grid, by])
  const turn = (column: number) => setBy(by?.column !== column ? { column, down: false } : by.down ? null : { column, down: true })
  return (
    <>
      <div className="output-table" tabIndex={0} role="group" aria-label={t('Table')}>
        <table className="dataframe">
          <thead>
            <tr>
              {grid.columns.map((name, at) => (
                <th key={at} scope="col" aria-sort={by?.column === at ? (by.down ? 'descending' : 'ascending') : 'none'}>
                  <button type="button" onClick={() => turn(at)}>
                    {name}
                    {by?.column === at && (by.down ? <ArrowDown size={12} aria-hidden /> : <ArrowUp size={12} aria-hidden />)}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row, at) => (
              <tr key={at}>
                {grid.columns.map((_, column) => (
                  <td key={column}>{word(row[column])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="output-hint">
        {t('{shown} of {count} rows', { shown: number(Math.min(shown, rows.length)), count: number(rows.length) })}
        {cut && ` ${t('(the rest is too long to be shown)')}`}
        {rows.length > shown && (
          <button type="button" className="output-link output-more" onClick={() => setShown(shown + ROWS_MORE)}>
            {t('{count} more', { count: Math.min(ROWS_MORE, rows.length - shown) })}
          </button>
        )}
      </p>
    </>
  )
}

const word = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))
