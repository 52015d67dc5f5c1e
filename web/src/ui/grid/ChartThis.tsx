/** Charts that fit the table, as cards with a small picture of each; a card writes a cell. */
import { useEffect, useMemo, useState } from 'react'
import { looking, type Table } from '../../api/looking'
import { t } from '../../i18n'
import { Dialog } from '../kit'
import { newAsker } from './blocks'
import { type Chart, type Sketch, suggested } from './charts'
import { HEIGHT, type Mark, sampleOf, SAMPLED, sketched, WIDTH } from './sketch'

const nameOf = (sketch: Sketch): string =>
  ({ histogram: t('Histogram'), bars: t('Bar chart'), scatter: t('Scatter plot'), line: t('Line chart'), box: t('Box plot'), heat: t('Heat map') })[sketch]

type Sample = ReadonlyMap<number, readonly (string | null)[]>

export function ChartThis({ notebook, table, chosen, onChoose, onClose }: { notebook: string; table: Table; chosen: readonly number[]; onChoose: (chart: Chart) => void; onClose: () => void }) {
  const charts = useMemo(() => suggested(table, chosen), [table, chosen])
  const sample = useSample(notebook, table, charts)
  return (
    <Dialog open onClose={onClose} title={t('Chart this')} wide>
      {charts.length === 0 ? (
        <p>{table.variable === null ? t('The table has no name that a cell could call it by. Keep it in a variable, and open that.') : t('These columns suggest no chart.')}</p>
      ) : (
        <div className="grid-charts">
          {charts.map((chart, at) => (
            <button key={at} type="button" className="grid-chart" onClick={() => onChoose(chart)}>
              <Preview chart={chart} sample={sample} />
              <span>{chart.title}</span>
            </button>
          ))}
        </div>
      )}
      <p className="field-hint">
        {t('A card writes a code cell that draws the chart. It is yours to run and change.')}
        {charts.length > 0 && table.rows > SAMPLED && ` ${t('The small pictures are drawn of {count} rows.', { count: SAMPLED })}`}
      </p>
    </Dialog>
  )
}

/** A few rows of every column that a chart shows; null until they are here, and when they cannot be had. */
function useSample(notebook: string, table: Table, charts: readonly Chart[]): Sample | null {
  const [sample, setSample] = useState<Sample | null>(null)
  const places = [...new Set(charts.flatMap(({ shows }) => shows))].join()
  useEffect(() => {
    if (places === '') return
    const leaving = new AbortController()
    const asker = newAsker()
    let waits = true
    const columns = places.split(',').map(Number)
    const looked = { ref: table.ref, mark: table.mark, view: { sort: [], filters: [], search: '' } }
    looking.rows(notebook, looked, { columns, offset: 0, limit: SAMPLED, spread: true, asker }, leaving.signal).then(
      (rows) => setSample(sampleOf(columns, rows)),
      // The cards do without: what they write needs no picture.
      () => undefined,
    ).finally(() => {
      waits = false
    })
    return () => {
      // It may still wait behind a long sort: nobody is to read the table for pictures that are not looked at.
      if (waits) void looking.stop(notebook, asker).catch(() => undefined)
      leaving.abort()
    }
  }, [notebook, table, places])
  return sample
}

function Preview({ chart, sample }: { chart: Chart; sample: Sample | null }) {
  const marks = useMemo(() => (sample === null ? [] : sketched(chart.sketch, chart.shows.map((place) => sample.get(place) ?? []))), [chart, sample])
  return (
    <svg className="grid-sketch" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={nameOf(chart.sketch)} data-drawn={marks.length > 0}>
      <path className="grid-sketch-axes" d={chart.sketch === 'heat' ? '' : `M1 1V${HEIGHT - 1}H${WIDTH - 1}`} />
      {marks.map((mark, at) => <Drawn key={at} mark={mark} />)}
    </svg>
  )
}

function Drawn({ mark }: { mark: Mark }) {
  switch (mark.kind) {
    case 'dot':
      return <circle cx={mark.x} cy={mark.y} r={1.7} />
    case 'line':
      return <polyline points={mark.points.map((point) => point.join()).join(' ')} />
    case 'rect': {
      const { x, y, width, height, tone, open } = mark
      const style = tone === undefined ? undefined : { fill: tone < 0 ? 'var(--bad)' : 'var(--accent)', opacity: 0.08 + 0.92 * Math.abs(tone) }
      return <rect x={x} y={y} width={width} height={height} {...(open && { className: 'grid-sketch-open' })} {...(style && { style })} />
    }
  }
}
