/** All cells that are not in a collapsed section, in order, in one scrolling page. */
import { memo, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { t } from '../../i18n'
import { GROUP, type Group, grouped, unchanged } from '../../model/groups'
import type { CellId } from '../../model/wire'
import { keepHeights } from './awaited'
import { Cell } from './Cell'
import './cell.css'
import { useClipboard } from './clipboard'
import type { Desk } from './desk'
import { dragOver } from './drop'
import { useDesk, useMay, useOrder, useShown } from './hooks'
import { InsertBar } from './InsertBar'
import { useMade } from './made'
import { holdPlace } from './sight'
import { useTabbing } from './tabbing'

export function CellList() {
  const desk = useDesk()
  const order = useOrder()
  const shown = useShown()
  const groups = useGroups(order, shown)
  const [from, to] = useGrowing(shown)
  let counted = 0
  const ends = groups.map(({ cells }) => (counted += cells.length))
  const editable = useMay('write')
  const list = useRef<HTMLDivElement>(null)
  const skip = useRef<HTMLButtonElement>(null)
  const end = useRef<HTMLParagraphElement>(null)
  const attach = useCallback((element: HTMLElement | null) => {
    if (!element) return
    desk.pool.attach(element, list.current!)
    const [leave, release] = [dragOver(desk, element), holdPlace(element, list.current!)]
    return () => {
      leave()
      release()
    }
  }, [desk])
  // A cell that was moved brings others near without any change of size.
  useEffect(() => desk.pool.look(), [desk, shown])
  // Before the cells are taken out of the page, while they can still be measured.
  useLayoutEffect(() => keepHeights(desk), [desk])
  useHeld(desk, order, shown, list, end)
  useTabbing(desk, list, skip, end)
  useScrollTo(desk)
  useMade(desk)
  useClipboard(desk)
  return (
    <div className="notebook-scroll" ref={attach}>
      <div className="notebook-page">
        {order.length > 0 && (
          <button type="button" className="skip" ref={skip} onClick={() => end.current?.focus()}>
            {t('Skip past the cells')}
          </button>
        )}
        <div role="list" aria-label={t('Cells')} aria-description={t('Arrow keys go from cell to cell, Enter writes in one, Escape leaves its text. Tab goes to what is in the cell, and then past all cells.')} className="cells" ref={list}>
          {groups.map(({ key, cells }, at) => (
            <CellGroup key={key} cells={cells} here={ends[at]! > from && ends[at]! - cells.length < to} />
          ))}
        </div>
        <p className="skip cells-end" tabIndex={-1} ref={end}>{t('End of the cells')}</p>
        {order.length === 0 && (
          <p className="cells-none">{editable ? t('This notebook is empty. Add a code or a text cell to begin.') : t('This notebook is empty.')}</p>
        )}
        <InsertBar above={null} near last />
      </div>
    </div>
  )
}

/** Who was at a cell that is gone, or hidden now, is brought to the next one, or to where one is made. */
function useHeld(desk: Desk, order: readonly CellId[], shown: readonly CellId[], list: RefObject<HTMLElement | null>, end: RefObject<HTMLElement | null>): void {
  const held = list.current?.contains(document.activeElement) ?? false
  useLayoutEffect(() => {
    if (!held || (document.activeElement ?? document.body) !== document.body) return
    const { focused } = desk.view.getState()
    const here = new Set(shown)
    const next = order.slice(0, focused === null ? 0 : order.indexOf(focused) + 1).findLast((id) => here.has(id)) ?? shown[0]
    if (next !== undefined) desk.goTo(next)
    else (end.current?.parentElement?.querySelector<HTMLElement>('.insert-last button') ?? end.current)?.focus()
  }, [desk, held, order, shown, end])
}

/** What a far cell is taken to be as tall as (cell.css): a group that is not drawn, or has not come, moves nothing. */
const CELL_PX = 144

/** Some cells in a box of their own, which the browser passes over while it is far. */
const CellGroup = memo(function CellGroup({ cells, here }: { cells: readonly CellId[]; here: boolean }) {
  const height = cells.length * CELL_PX
  return (
    <div className="cell-group" style={here ? { containIntrinsicBlockSize: `auto ${height}px` } : { height }}>
      {here && cells.map((id) => <Cell key={id} id={id} />)}
    </div>
  )
})

/** The cells that are shown, by the groups of all: what is collapsed comes back where it was. */
function useGroups(order: readonly CellId[], shown: readonly CellId[]): readonly Group[] {
  const all = useRef<readonly Group[]>([])
  const seen = useRef<readonly Group[]>([])
  return useMemo(() => {
    all.current = grouped(order, all.current)
    const visible = new Set(shown)
    seen.current = unchanged(all.current.map(({ key, cells }) => ({ key, cells: cells.filter((id) => visible.has(id)) })), seen.current)
    return seen.current
  }, [order, shown])
}

const FIRST = 30
const STEP = GROUP

/**
 * Which cells are on the page, from one place to another: a screenful at once, where the address leads, and the rest in
 * small steps, so that typing never waits.
 */
function useGrowing(cells: readonly CellId[]): readonly [number, number] {
  const [[from, to], grow] = useState(() => {
    const wanted = Math.max(0, cells.indexOf(addressed() ?? ''))
    return [Math.max(0, wanted - FIRST / 2), wanted + FIRST] as const
  })
  const { length } = cells
  useEffect(() => {
    if (from === 0 && to >= length) return
    // What is written after the others comes first: nothing that is in sight stands below what is added then.
    const timer = setTimeout(() => grow(to < length ? [from, to + STEP] : [Math.max(0, from - STEP), to]))
    return () => clearTimeout(timer)
  }, [from, to, length])
  return [Math.min(from, Math.max(0, length - FIRST)), to]
}

/** The cell that an address ending in `#scrollTo=cell` leads to. */
const addressed = (): CellId | undefined => /^#scrollTo=([\w-]{1,64})$/.exec(location.hash)?.[1]

function useScrollTo(desk: Desk): void {
  useEffect(() => {
    const go = () => {
      const id = addressed()
      if (id !== undefined && desk.outline.current().includes(id)) requestAnimationFrame(() => desk.goTo(id))
    }
    go()
    addEventListener('hashchange', go)
    return () => removeEventListener('hashchange', go)
  }, [desk])
}
