/** Running cells, from whatever a person meant: a cell, what is chosen, a section. */
import { sourceHash } from '../../model/hash'
import { cellOf, textOf, typeOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { t } from '../../i18n'
import { notify } from '../kit'
import type { Standing } from './standing'

/** Ask for the code cells among these; what the person sees is what runs, so its hash goes along. */
export function run(desk: Standing, ids: readonly CellId[]): void {
  const cells = ids.flatMap((id) => {
    const cell = cellOf(desk.room.doc, id)
    return cell && typeOf(cell) === 'code' ? [{ cell: id, hash: sourceHash(textOf(cell).toString()) }] : []
  })
  if (cells.length > 0) void desk.session.execute(cells)
}

/** Run or render the cells that are selected, and then stay, go on, or make room for more. */
export function runSelected(desk: Standing, then: 'stay' | 'next' | 'insert'): void {
  const ids = desk.selected
  const last = ids.at(-1)
  if (last === undefined) return
  if (desk.may('run')) run(desk, ids)
  else if (desk.type(last) === 'code' && then === 'stay') return elsewhere(desk, last)
  for (const id of ids) desk.act({ do: 'close', cell: id })
  const { shown } = desk.folding.layout.getState()
  const next = shown[shown.indexOf(last) + 1]
  if (then === 'insert' || (then === 'next' && next === undefined)) {
    if (desk.may('write')) return desk.insert('code', last)
  }
  if (then === 'next' && next !== undefined) return desk.goTo(next, desk.type(next) === 'code')
  if (desk.type(last) !== 'code') desk.goTo(last)
}

/** Who may only read runs a cell in a copy of their own; whoever is not signed in is asked to first. */
export function elsewhere(desk: Standing, cell: CellId | null): void {
  if (desk.me.id === 'guest') notify({ title: t('Sign in to run this'), detail: t('It then runs in a playground of your own. The button is at the top of the page.') })
  else desk.playground(cell)
}

export function stop(desk: Standing, id: CellId): void {
  if (desk.session.run(id)?.execution.state === 'queued') desk.session.cancel(id)
  else desk.session.command('interrupt')
}

/** To the cell that runs now, else to the one that began last, or to the one that failed last. */
export function goToRun(desk: Standing, which: 'running' | 'last' | 'failed'): void {
  const order = new Set(desk.outline.current())
  const runs = [...desk.session.all()].filter(([id, { execution }]) => order.has(id) && (which !== 'failed' || execution.state === 'failed') && (which !== 'running' || execution.state === 'running'))
  const latest = runs.reduce<(typeof runs)[number] | null>((best, one) => (best === null || (one[1].execution.started_at ?? 0) > (best[1].execution.started_at ?? 0) ? one : best), null)
  if (latest) return desk.goTo(latest[0])
  notify({ title: which === 'running' ? t('No cell runs now') : which === 'failed' ? t('No cell has failed') : t('No cell has run yet') })
}
