/** Whether a cell shows a form, found anew only when its text or its metadata change. */
import { useCallback, useSyncExternalStore } from 'react'
import type * as Y from 'yjs'
import { type FormMode, formMode } from '../../model/formMark'
import { type CellMap, textOf } from '../../model/notebook'

export function useFormMode(cell: CellMap): FormMode | null {
  const subscribe = useCallback(
    (notify: () => void) => {
      const text = textOf(cell)
      const metadata = cell.get('md') as Y.Map<unknown> | undefined
      text.observe(notify)
      metadata?.observe(notify)
      return () => {
        text.unobserve(notify)
        metadata?.unobserve(notify)
      }
    },
    [cell],
  )
  return useSyncExternalStore(subscribe, () => formMode(textOf(cell).toString(), (cell.get('md') as Y.Map<unknown> | undefined)?.get('cellView')))
}
