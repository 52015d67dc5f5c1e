/** The files of the runtime, at the left of the cells. */
import { FolderOpen } from 'lucide-react'
import { EmptyState } from '../kit'
import { useChrome } from '../notebook/hooks'

export default function FilesPanel() {
  const shown = useChrome((chrome) => chrome.side === 'files')
  if (!shown) return null
  return (
    <aside className="panel panel-left" aria-label="Files">
      <EmptyState icon={<FolderOpen size={36} aria-hidden />} title="Not connected">Connect to a runtime to see its files.</EmptyState>
    </aside>
  )
}
