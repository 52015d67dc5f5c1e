/** Dragging a cell by its handle with a finger or a pen, for which browsers have no drag of their own. */
import { moveAfter } from './arranging'
import type { CellId } from '../../model/wire'
import type { Desk } from './desk'
import { Landing, movedWith } from './drop'

/** From this press on, until the finger is lifted; Escape, or the system taking the touch away, ends it with nothing moved. */
export function touchDrag(desk: Desk, id: CellId, handle: HTMLElement, pointer: number): void {
  const scroller = handle.closest<HTMLElement>('.notebook-scroll')
  if (!scroller) return
  const landing = new Landing(desk, scroller)
  let moved = false
  const ends = new AbortController()
  const { signal } = ends
  const end = () => {
    ends.abort()
    landing.leave()
  }
  handle.setPointerCapture(pointer)
  handle.addEventListener('pointermove', (event) => {
    moved = true
    landing.over(event.clientY)
  }, { signal })
  handle.addEventListener('pointerup', () => {
    end()
    if (moved) moveAfter(desk, movedWith(desk, id), landing.after)
  }, { signal })
  handle.addEventListener('pointercancel', end, { signal })
  globalThis.addEventListener('keydown', (event: KeyboardEvent) => event.key === 'Escape' && end(), { signal })
}
