/** Terminals of the runtime, at the foot of the page. */
import { useChrome } from '../notebook/hooks'

export default function TerminalPanel() {
  const shown = useChrome((chrome) => chrome.terminal)
  return shown ? <section aria-label="Terminal" /> : null
}
