/** Beside an output that shows a table of the kernel: the way to the table itself. */
import { Sheet } from 'lucide-react'
import { createContext, useContext } from 'react'
import { t } from '../i18n'
import type { MimeBundle } from '../model/wire'

export const TABLE_MIME = 'application/vnd.collegium.table+json'

/** Opens a table by the reference that its output carries; null where there is no kernel to ask. */
export const OpenTableContext = createContext<((ref: string) => void) | null>(null)

/** What comes from a kernel is a stranger's: only what has the form of a reference is one. */
export function tableOf(data: MimeBundle): string | null {
  const mark: unknown = data[TABLE_MIME]
  const ref = typeof mark === 'object' && mark !== null ? (mark as { ref?: unknown }).ref : undefined
  return typeof ref === 'string' && /^[0-9a-f]{16}$/.test(ref) ? ref : null
}

export function OpenTable({ data }: { data: MimeBundle }) {
  const open = useContext(OpenTableContext)
  const ref = tableOf(data)
  if (open === null || ref === null) return null
  return (
    <button type="button" className="output-button output-open-table" onClick={() => open(ref)}>
      <Sheet size={14} aria-hidden />
      {t('Open as interactive table')}
    </button>
  )
}
