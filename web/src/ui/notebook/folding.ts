/** Which cells are on the page: sections can be collapsed, here or for whoever opens the notebook next. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { levelOf } from '../../model/headings'
import { above, type Layout, layout, NOTHING, sectionOf } from '../../model/sections'
import type { CellId } from '../../model/wire'
import { t } from '../../i18n'
import { notify } from '../kit'
import { Headings } from '../../room/headings'
import type { Standing } from './standing'

const KEY = 'md:colab'

/** The layout of a desk, kept fresh as cells, headings and what is collapsed change. */
export class Folding {
  readonly layout: StoreApi<Layout> = createStore<Layout>(() => NOTHING)
  readonly headings: Headings
  private readonly farewells: (() => void)[] = []

  constructor(private readonly desk: Standing) {
    this.headings = new Headings(desk.room.doc)
    this.farewells.push(
      desk.outline.subscribe(this.lay),
      this.headings.subscribe(this.lay),
      desk.view.subscribe(({ folded }, before) => folded !== before.folded && this.lay()),
      desk.room.state.subscribe(({ ready }, before) => ready && !before.ready && this.open()),
    )
    this.lay()
  }

  close(): void {
    for (const farewell of this.farewells) farewell()
    this.headings.close()
  }

  /** As the notebook was saved to be opened. */
  private open(): void {
    const cells = saved(this.desk)['collapsed_sections']
    if (Array.isArray(cells)) this.desk.act({ do: 'fold', cells: cells.filter((id) => typeof id === 'string'), folded: true })
  }

  private readonly lay = (): void => {
    const { desk, headings } = this
    this.layout.setState((before) => layout(desk.outline.current(), (id) => levelOf(headings.of(id)), desk.view.getState().folded, before), true)
  }
}

function saved(desk: Standing): Readonly<Record<string, unknown>> {
  const value = desk.room.doc.getMap('meta').get(KEY)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}
}

const sections = (desk: Standing): Layout['sections'] => desk.folding.layout.getState().sections

/** The heading of the section that the focused cell begins or stands in. */
export function heading(desk: Standing): CellId | null {
  const { focused } = desk.view.getState()
  if (focused === null) return null
  return sections(desk).has(focused) ? focused : (above(desk.outline.current(), sections(desk), focused)[0] ?? null)
}

export function fold(desk: Standing, cell: CellId, folded: boolean): void {
  const { focused } = desk.view.getState()
  desk.act({ do: 'fold', cells: [cell], folded })
  // Whoever was inside stands on the heading then.
  if (folded && focused !== null && desk.folding.layout.getState().hidden.has(focused)) desk.goTo(cell)
}

export function foldAll(desk: Standing, folded: boolean): void {
  const { focused } = desk.view.getState()
  desk.act({ do: 'fold', cells: [...sections(desk).keys()], folded })
  if (focused === null || !desk.folding.layout.getState().hidden.has(focused)) return
  const outermost = above(desk.outline.current(), sections(desk), focused).at(-1)
  if (outermost !== undefined) desk.goTo(outermost)
}

/** Expand all that a cell stands in, so that it is on the page. */
export function reveal(desk: Standing, cell: CellId): void {
  if (!desk.folding.layout.getState().hidden.has(cell)) return
  desk.act({ do: 'fold', cells: above(desk.outline.current(), sections(desk), cell), folded: false })
}

/** A heading with all that belongs to its section, in order. */
export const whole = (desk: Standing, cell: CellId): readonly CellId[] => sectionOf(desk.outline.current(), sections(desk), cell)

/** These cells, and with a collapsed heading what it hides. */
export function withHidden(desk: Standing, ids: ReadonlySet<CellId>): CellId[] {
  const all = new Set(ids)
  for (const id of ids) if (sections(desk).get(id)?.folded) for (const inner of whole(desk, id)) all.add(inner)
  return desk.outline.current().filter((id) => all.has(id))
}

/** From now on the notebook opens for everybody as it looks here. */
export function saveLayout(desk: Standing): void {
  const { folded } = desk.view.getState()
  const cells = desk.outline.current().filter((id) => folded.has(id) && sections(desk).has(id))
  const { collapsed_sections: _before, ...rest } = saved(desk)
  desk.room.doc.getMap('meta').set(KEY, cells.length > 0 ? { ...rest, collapsed_sections: cells } : rest)
  notify({ title: t('The layout of the sections is saved'), detail: t('Whoever opens this notebook finds the same sections collapsed.'), kind: 'good' })
}
