/** What the runtime uses, at the right of the cells. */
import { useChrome } from '../notebook/hooks'

export default function ResourcesPanel() {
  const shown = useChrome((chrome) => chrome.resources)
  return shown ? <aside className="panel panel-right" aria-label="Resources" /> : null
}
