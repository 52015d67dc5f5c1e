/** How revisions are spoken of. */
import { at as written, sameDay } from '../../i18n/formats'
import { msg, t } from '../../i18n'
import type { Author, Revision } from '../../api/history'

const KINDS: Readonly<Record<Revision['kind'], string>> = {
  auto: msg('Saved while editing'),
  idle: msg('Saved after editing'),
  before_run: msg('Before all cells ran'),
  before_merge: msg('Before a file was merged in'),
  before_restore: msg('Before a restore'),
  restore: msg('Restored'),
  named: msg('Saved and pinned'),
}

export const kindOf = (revision: Revision): string => t(KINDS[revision.kind])

export const timeOf = (at: number): string => written('clock', at)

export const momentOf = (at: number): string => written('moment', at)

export function dayOf(at: number, now: number): string {
  if (sameDay(at, now)) return t('Today')
  if (sameDay(at, now - 86_400_000)) return t('Yesterday')
  return written('wholeDay', at)
}

export const nameOf = (revision: Revision): string => revision.label ?? momentOf(revision.created_at)

/** Who wrote what is new in it; who asked for it, if nobody wrote. */
export function peopleOf(revision: Revision): readonly Author[] {
  if (revision.authors.length > 0) return revision.authors
  return revision.created_by ? [revision.created_by] : []
}

export interface Group {
  readonly title: string
  readonly revisions: readonly Revision[]
}

/** By day, the newest first; those of one day by who wrote them, in stretches. */
export function grouped(revisions: readonly Revision[], now: number): readonly Group[] {
  const groups: { title: string; revisions: Revision[] }[] = []
  for (const revision of revisions) {
    const title = dayOf(revision.created_at, now)
    const last = groups.at(-1)
    if (last?.title === title) last.revisions.push(revision)
    else groups.push({ title, revisions: [revision] })
  }
  return groups
}

/** Whether two were written by the same people, so that their names need not be said twice. */
export const sameWriters = (one: Revision | undefined, other: Revision): boolean =>
  one !== undefined && peopleOf(one).map(({ id }) => id).join() === peopleOf(other).map(({ id }) => id).join()
