/** One file of the runtime, shown or edited beside the cells. */
import { useChrome } from '../notebook/hooks'

export default function FileTab() {
  const file = useChrome((chrome) => chrome.file)
  return file === null ? null : <section aria-label={file} />
}
