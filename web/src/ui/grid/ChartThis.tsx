/** Charts that fit the table, as cards; a card writes a cell. */
import { ChartColumn, ChartLine, ChartScatter, type LucideIcon, Grid2x2, SlidersVertical } from 'lucide-react'
import type { Table } from '../../api/looking'
import { t } from '../../i18n'
import { Dialog } from '../kit'
import { type Chart, type Sketch, suggested } from './charts'

const ICONS: Readonly<Record<Sketch, LucideIcon>> = { histogram: ChartColumn, bars: ChartColumn, scatter: ChartScatter, line: ChartLine, box: SlidersVertical, heat: Grid2x2 }

export function ChartThis({ table, chosen, onChoose, onClose }: { table: Table; chosen: readonly number[]; onChoose: (chart: Chart) => void; onClose: () => void }) {
  const charts = suggested(table, chosen)
  return (
    <Dialog open onClose={onClose} title={t('Chart this')} wide>
      {charts.length === 0 ? (
        <p>{table.variable === null ? t('The table has no name that a cell could call it by. Keep it in a variable, and open that.') : t('These columns suggest no chart.')}</p>
      ) : (
        <div className="grid-charts">
          {charts.map((chart, at) => {
            const Icon = ICONS[chart.sketch]
            return (
              <button key={at} type="button" className="grid-chart" onClick={() => onChoose(chart)}>
                <Icon size={36} strokeWidth={1.4} aria-hidden />
                <span>{chart.title}</span>
              </button>
            )
          })}
        </div>
      )}
      <p className="field-hint">{t('A card writes a code cell that draws the chart. It is yours to run and change.')}</p>
    </Dialog>
  )
}
