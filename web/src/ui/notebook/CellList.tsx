/** All cells that are not in a collapsed section, in order, in one scrolling page. */
import { useCallback, useEffect, useLayoutEffect, useState } from 'react'
import { t } from '../../i18n'
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

export function CellList() {
  const desk = useDesk()
  const order = useOrder()
  const shown = useShown()
  const grown = useGrowing(shown.length)
  const editable = useMay('write')
  const attach = useCallback((element: HTMLElement | null) => {
    if (!element) return
    desk.pool.attach(element)
    return dragOver(desk, element)
  }, [desk])
  // Before the cells are taken out of the page, while they can still be measured.
  useLayoutEffect(() => keepHeights(desk), [desk])
  useScrollTo(desk)
  useMade(desk)
  useClipboard(desk)
  return (
    <div className="notebook-scroll" ref={attach}>
      <div className="notebook-page">
        <div role="list" aria-label={t('Cells')} className="cells">
          {shown.slice(0, grown).map((id) => (
            <Cell key={id} id={id} />
          ))}
        </div>
        {order.length === 0 && (
          <p className="cells-none">{editable ? t('This notebook is empty. Add a code or a text cell to begin.') : t('This notebook is empty.')}</p>
        )}
        <InsertBar above={null} near last />
      </div>
    </div>
  )
}

const FIRST = 30
const STEP = 50

/** How many cells are on the page: a screenful at once and the rest in small steps, so that typing never waits. */
function useGrowing(length: number): number {
  const [shown, setShown] = useState(FIRST)
  useEffect(() => {
    if (shown >= length) return
    const timer = setTimeout(() => setShown((now) => now + STEP))
    return () => clearTimeout(timer)
  }, [shown, length])
  return shown
}

/** An address that ends in `#scrollTo=cell` leads to that cell. */
function useScrollTo(desk: Desk): void {
  useEffect(() => {
    const go = () => {
      const id: CellId | undefined = /^#scrollTo=([\w-]{1,64})$/.exec(location.hash)?.[1]
      if (id !== undefined && desk.outline.current().includes(id)) requestAnimationFrame(() => desk.goTo(id))
    }
    go()
    addEventListener('hashchange', go)
    return () => removeEventListener('hashchange', go)
  }, [desk])
}
