/** Whether a cell shows a form, found anew only when its text or its metadata change. */
import { useCallback, useSyncExternalStore } from 'react'
import { metadataOf } from '../../model/facts'
import { type FormMode, formMode } from '../../model/formMark'
import { type CellMap, textOf } from '../../model/notebook'

export function useFormMode(cell: CellMap): FormMode | null {
  const subscribe = useCallback(
    (notify: () => void) => {
      const text = textOf(cell)
      const metadata = metadataOf(cell)
      text.observe(notify)
      metadata?.observe(notify)
      return () => {
        text.unobserve(notify)
        metadata?.unobserve(notify)
      }
    },
    [cell],
  )
  return useSyncExternalStore(subscribe, () => formMode(textOf(cell).toString(), metadataOf(cell)?.get('cellView')))
}
