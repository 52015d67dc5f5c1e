/** Dragging cells: where they would land, the line that shows it, and what happens when they are let go. */
import type { DragEvent as ReactDragEvent } from 'react'
import { CELLS_MIME, fromOffered, toJson, toText } from '../../model/clipboard'
import type { CellId } from '../../model/wire'
import { tn } from '../../i18n'
import { moveAfter } from './arranging'
import { drafts, put } from './clipboard'
import type { Desk } from './desk'
import { whole, withHidden } from './folding'

const EDGE_PX = 56
const STEP_PX = 14

/** What is dragged in this window. From another window only the data comes. */
let dragged: { readonly desk: Desk; readonly ids: readonly CellId[] } | null = null

/** What moves when this cell's handle is taken: the selection it belongs to, or itself; a collapsed heading with all it hides. */
export function movedWith(desk: Desk, id: CellId): readonly CellId[] {
  return desk.selected.includes(id) ? desk.chosen : withHidden(desk, new Set([id]))
}

export function dragStarted(desk: Desk, id: CellId, event: ReactDragEvent): void {
  const ids = movedWith(desk, id)
  const cells = drafts(desk, ids)
  const { dataTransfer } = event
  dataTransfer.effectAllowed = desk.may('write') ? 'copyMove' : 'copy'
  dataTransfer.setData(CELLS_MIME, toJson(cells))
  dataTransfer.setData('text/plain', toText(cells))
  const label = document.createElement('div')
  label.className = 'drag-label'
  label.textContent = tn('{count} cell', '{count} cells', ids.length)
  document.body.append(label)
  dataTransfer.setDragImage(label, -12, 12)
  setTimeout(() => label.remove())
  dragged = { desk, ids }
}

export function dragEnded(): void {
  dragged = null
}

/** Shows, over one list of cells, where a drag would land. */
export class Landing {
  private readonly line = document.createElement('div')
  private frame = 0
  private pull = 0
  after: CellId | null = null

  constructor(private readonly desk: Desk, private readonly scroller: HTMLElement) {
    this.line.className = 'drop-line'
  }

  over(y: number): void {
    const box = this.scroller.getBoundingClientRect()
    this.pull = y < box.top + EDGE_PX ? -STEP_PX : y > box.bottom - EDGE_PX ? STEP_PX : 0
    this.frame ||= this.pull === 0 ? 0 : requestAnimationFrame(this.scroll)
    const cells = [...this.scroller.querySelectorAll<HTMLElement>('.cell-group > [data-cell-id]')]
    const at = firstBelow(cells, y)
    const above = cells[at - 1]
    this.after = above === undefined ? null : lastOf(this.desk, above.dataset['cellId']!)
    const edge = above === undefined ? (cells[0]?.getBoundingClientRect().top ?? box.top) + 12 : above.getBoundingClientRect().bottom + 11
    this.line.style.top = `${edge - box.top + this.scroller.scrollTop}px`
    if (!this.line.isConnected) {
      this.scroller.append(this.line)
      this.scroller.classList.add('dragging')
    }
  }

  leave(): void {
    cancelAnimationFrame(this.frame)
    this.frame = this.pull = 0
    this.line.remove()
    this.scroller.classList.remove('dragging')
  }

  private readonly scroll = (): void => {
    this.frame = this.pull === 0 ? 0 : requestAnimationFrame(this.scroll)
    this.scroller.scrollTop += this.pull
  }
}

/** The first cell whose middle is below this height. */
function firstBelow(cells: readonly HTMLElement[], y: number): number {
  let low = 0
  let high = cells.length
  while (low < high) {
    const middle = (low + high) >> 1
    const { top, bottom } = cells[middle]!.getBoundingClientRect()
    if ((top + bottom) / 2 > y) high = middle
    else low = middle + 1
  }
  return low
}

const lastOf = (desk: Desk, id: CellId): CellId => (desk.folding.layout.getState().sections.get(id)?.folded ? whole(desk, id).at(-1)! : id)

/** Takes drags of cells over the list: from here they move, from elsewhere (or with Ctrl) they are copied. */
export function dragOver(desk: Desk, scroller: HTMLElement): () => void {
  const landing = new Landing(desk, scroller)
  const takes = (event: DragEvent) => desk.may('write') && (event.dataTransfer?.types.includes(CELLS_MIME) ?? false)
  const moves = (event: DragEvent) => dragged?.desk === desk && !event.ctrlKey && !event.altKey
  const over = (event: DragEvent) => {
    if (!takes(event)) return
    event.preventDefault()
    event.stopPropagation()
    event.dataTransfer!.dropEffect = moves(event) ? 'move' : 'copy'
    landing.over(event.clientY)
  }
  const left = (event: DragEvent) => {
    if (!(event.relatedTarget instanceof Node && scroller.contains(event.relatedTarget))) landing.leave()
  }
  const dropped = (event: DragEvent) => {
    if (!takes(event)) return
    event.preventDefault()
    event.stopPropagation()
    landing.leave()
    if (dragged && moves(event)) moveAfter(desk, dragged.ids, landing.after)
    else put(desk, fromOffered({ cells: event.dataTransfer!.getData(CELLS_MIME) }), landing.after)
  }
  const ended = () => landing.leave()
  // Before the editors below, which would take the text.
  scroller.addEventListener('dragenter', over, true)
  scroller.addEventListener('dragover', over, true)
  scroller.addEventListener('dragleave', left)
  scroller.addEventListener('drop', dropped, true)
  document.addEventListener('dragend', ended)
  return () => {
    landing.leave()
    scroller.removeEventListener('dragenter', over, true)
    scroller.removeEventListener('dragover', over, true)
    scroller.removeEventListener('dragleave', left)
    scroller.removeEventListener('drop', dropped, true)
    document.removeEventListener('dragend', ended)
  }
}
