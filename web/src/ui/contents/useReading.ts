/** Which heading the person reads under, found from what stands at the top of the cells: no cell is measured but one. */
import { useEffect, useRef, useState } from 'react'
import type { Desk } from '../notebook/desk'
import type { Row } from './rows'

const BELOW_EDGE_PX = 40

export function useReading(desk: Desk, rows: readonly Row[]): string | null {
  const [reading, setReading] = useState<string | null>(null)
  const known = useRef(rows)
  known.current = rows
  useEffect(() => {
    const scroller = document.querySelector<HTMLElement>('.notebook-scroll')
    if (!scroller) return
    let frame = 0
    const look = () => {
      frame = 0
      const { left, top, width } = scroller.getBoundingClientRect()
      const cell = document.elementsFromPoint(left + width / 2, top + BELOW_EDGE_PX).find((element) => element.closest('[data-cell-id]'))?.closest<HTMLElement>('[data-cell-id]')?.dataset['cellId']
      if (cell === undefined) return
      const places = new Map(desk.outline.current().map((id, at) => [id, at]))
      const here = places.get(cell) ?? -1
      setReading(known.current.findLast((row) => (places.get(row.cell) ?? Infinity) <= here)?.key ?? null)
    }
    const later = () => (frame ||= requestAnimationFrame(look))
    later()
    scroller.addEventListener('scroll', later, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      scroller.removeEventListener('scroll', later)
    }
  }, [desk, rows])
  return reading
}
