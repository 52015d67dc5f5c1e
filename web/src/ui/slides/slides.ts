/** A notebook as slides: what stands on each, and what comes onto it step by step. */
import type { CellType } from '../../model/notebook'
import type { CellId } from '../../model/wire'

export interface SlideCell {
  readonly id: CellId
  readonly type: CellType
  /** The cell has a heading. */
  readonly heading: boolean
  /** `slideshow.slide_type`, as Jupyter writes it; null: nothing of the kind. */
  readonly kind: string | null
}

export interface Slide {
  /** What appears with each step; the first is there at once. */
  readonly steps: readonly (readonly CellId[])[]
}

/** By the notebook's own marks where it has any; else by headings; else each text with the code below it. */
export function slidesOf(cells: readonly SlideCell[]): Slide[] {
  const marked = cells.some(({ kind }) => kind !== null && kind !== '-')
  const headed = cells.some(({ heading }) => heading)
  const slides: CellId[][][] = []
  let before: SlideCell | null = null
  for (const cell of cells) {
    if (marked && (cell.kind === 'skip' || cell.kind === 'notes')) continue
    const begins = marked ? cell.kind === 'slide' || cell.kind === 'subslide' : headed ? cell.heading : cell.type !== 'code' || before?.type !== 'markdown'
    if (begins || slides.length === 0) slides.push([[cell.id]])
    else if (marked && cell.kind === 'fragment') slides.at(-1)!.push([cell.id])
    else slides.at(-1)!.at(-1)!.push(cell.id)
    before = cell
  }
  return slides.map((steps) => ({ steps }))
}

export interface Position {
  readonly slide: number
  readonly step: number
}

export function moved(slides: readonly Slide[], { slide, step }: Position, to: 'next' | 'previous' | 'first' | 'last'): Position {
  const steps = slides[slide]?.steps.length ?? 1
  switch (to) {
    case 'first':
      return { slide: 0, step: 0 }
    case 'last':
      return { slide: Math.max(0, slides.length - 1), step: (slides.at(-1)?.steps.length ?? 1) - 1 }
    case 'next':
      if (step + 1 < steps) return { slide, step: step + 1 }
      return slide + 1 < slides.length ? { slide: slide + 1, step: 0 } : { slide, step }
    case 'previous':
      if (step > 0) return { slide, step: step - 1 }
      // Going back, one finds a slide as one left it.
      return slide > 0 ? { slide: slide - 1, step: slides[slide - 1]!.steps.length - 1 } : { slide, step }
  }
}

/** The slide on which a cell stands, with it on the screen; the one before it when it is left out. */
export function placeOf(slides: readonly Slide[], order: readonly CellId[], cell: CellId | null): Position {
  if (cell === null) return { slide: 0, step: 0 }
  for (let at = order.indexOf(cell); at >= 0; at--) {
    for (const [slide, { steps }] of slides.entries()) {
      const step = steps.findIndex((cells) => cells.includes(order[at]!))
      if (step >= 0) return { slide, step }
    }
  }
  return { slide: 0, step: 0 }
}
