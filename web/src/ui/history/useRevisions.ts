/** The revisions of the open notebook, as far as they were asked for; fresh whenever there are others. */
import { useCallback, useEffect, useState } from 'react'
import { history, type Revision } from '../../api/history'
import type { Desk } from '../notebook/desk'

export interface Revisions {
  readonly list: readonly Revision[] | null
  readonly failure: string | null
  readonly more: (() => void) | null
}

export function useRevisions(desk: Desk): Revisions {
  const [list, setList] = useState<readonly Revision[] | null>(null)
  const [next, setNext] = useState<number | null>(null)
  const [failure, setFailure] = useState<string | null>(null)
  const load = useCallback(
    (before: number | null) =>
      history.list(desk.id, before).then(
        (page) => {
          setFailure(null)
          setList((had) => (before === null ? merged(page.revisions, had ?? []) : [...(had ?? []), ...page.revisions]))
          setNext((had) => (before === null && had !== null ? had : page.next))
        },
        (cause: unknown) => setFailure(cause instanceof Error ? cause.message : String(cause)),
      ),
    [desk],
  )
  useEffect(() => {
    void load(null)
    return desk.room.listen((message) => {
      if (message.type === 'revisions') void load(null)
    })
  }, [desk, load])
  return { list, failure, more: next === null ? null : () => void load(next) }
}

/** The newest page, and what was asked for of older ones before. */
function merged(newest: readonly Revision[], had: readonly Revision[]): readonly Revision[] {
  const last = newest.at(-1)?.number ?? 0
  return [...newest, ...had.filter(({ number }) => number < last)]
}
