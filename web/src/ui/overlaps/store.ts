/** Where a file from outside and what people wrote here met, as far as nobody has decided about it. */
import { t } from '../../i18n'
import { ask } from '../../api/client'
import type { Schemas } from '../../api/types'
import type { CellId, NotebookId } from '../../model/wire'
import { notifyError } from '../kit'
import type { Desk } from '../notebook/desk'

export type Overlap = Readonly<Schemas['OverlapShown']>
export type Choice = 'keep' | 'take' | 'both'

const at = (notebook: NotebookId, ...rest: readonly string[]) => ['', 'notebooks', notebook, 'overlaps', ...rest].map(encodeURIComponent).join('/')

/** Fetch them now and whenever the server says that there are others, or the connection is back; gives its farewell. */
export function follow(desk: Desk): () => void {
  let over = false
  let asked = 0
  const look = () => {
    const number = (asked += 1)
    ask<readonly Overlap[]>('GET', at(desk.id)).then(
      (found) => {
        if (!over && number === asked) desk.overlaps.setState(byCell(found), true)
      },
      // The page does not need them to be useful; they are asked for again when the connection is back.
      () => undefined,
    )
  }
  const stopHearing = desk.room.listen((message) => {
    if (message.type === 'overlaps' || message.type === 'welcome') look()
  })
  look()
  return () => {
    over = true
    stopHearing()
  }
}

export async function decide(desk: Desk, overlap: Overlap, choice: Choice): Promise<void> {
  try {
    await ask('POST', at(desk.id, overlap.id), { json: { choice } })
    const left = new Map(desk.overlaps.getState())
    const rest = (left.get(overlap.cell) ?? []).filter(({ id }) => id !== overlap.id)
    if (rest.length > 0) left.set(overlap.cell, rest)
    else left.delete(overlap.cell)
    desk.overlaps.setState(left, true)
  } catch (error) {
    notifyError(t('The choice could not be kept'), error)
  }
}

function byCell(found: readonly Overlap[]): ReadonlyMap<CellId, readonly Overlap[]> {
  const cells = new Map<CellId, readonly Overlap[]>()
  for (const one of found) cells.set(one.cell, [...(cells.get(one.cell) ?? []), one])
  return cells
}
