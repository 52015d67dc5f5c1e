/** One amount over the last hour. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { at as written } from '../../i18n/formats'
import { t } from '../../i18n'
import { useShownTheme } from '../kit'

export interface GraphProps {
  readonly label: string
  /** Milliseconds, and the amount then. */
  readonly times: readonly number[]
  readonly values: readonly (number | null)[]
  readonly max: number
  readonly text: (value: number) => string
}

const HEIGHT = 64
const HOUR_SECONDS = 3600

export function Graph({ label, times, values, max, text }: GraphProps) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [pointed, setPointed] = useState<number | null>(null)
  const theme = useShownTheme()
  const end = times.at(-1) ?? 0

  useLayoutEffect(() => {
    const element = host.current!
    const ink = () => getComputedStyle(element).color
    const made = new uPlot({
      width: Math.max(1, element.clientWidth),
      height: HEIGHT,
      padding: [2, 0, 2, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 6, fill: ink } },
      scales: { x: { time: true }, y: { range: [0, 1] } },
      series: [{}, { stroke: ink, width: 1.5, fill: () => faint(ink()), points: { show: false }, spanGaps: false }],
      hooks: { setCursor: [(drawn) => setPointed(drawn.cursor.idx ?? null)] },
    }, [[], []], element)
    plot.current = made
    const watcher = new ResizeObserver(() => made.setSize({ width: Math.max(1, element.clientWidth), height: HEIGHT }))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [theme])

  useEffect(() => {
    plot.current?.batch(() => {
      plot.current!.setData([times.map((at) => at / 1000), values as (number | null)[]], false)
      plot.current!.setScale('x', { min: end / 1000 - HOUR_SECONDS, max: end / 1000 })
      plot.current!.setScale('y', { min: 0, max: max > 0 ? max : 1 })
    })
  }, [times, values, max, end, theme])

  const known = values.filter((value) => value !== null)
  const summary = known.length === 0 ? t('nothing is known yet') : t('now {text}, at most {text2}, at least {text3}', { text: text(known.at(-1)!), text2: text(Math.max(...known)), text3: text(Math.min(...known)) })
  const at = pointed === null ? undefined : times[pointed]
  const value = pointed === null ? undefined : values[pointed]
  return (
    <figure className="graph">
      <div ref={host} role="img" aria-label={t('{label} in the last hour: {summary}', { label, summary })} className="graph-plot" />
      <figcaption aria-hidden>
        {at !== undefined && typeof value === 'number' ? (
          <>
            <span>{written('clock', at)}</span>
            <span>{text(value)}</span>
          </>
        ) : (
          <>
            <span>{t('1 hour ago')}</span>
            <span>{t('now')}</span>
          </>
        )}
      </figcaption>
    </figure>
  )
}

const faint = (color: string) => color.replace(/^rgb\((.*)\)$/, 'rgba($1, .14)')
