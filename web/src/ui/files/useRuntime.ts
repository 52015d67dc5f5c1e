/** The runtime whose inside is shown. */
import type { RuntimeId } from '../../api/inside'
import { useSession } from '../notebook/hooks'

/** Null while there is none that could be asked. */
export function useReadyRuntime(): RuntimeId | null {
  return useSession(({ runtime }) => (runtime?.state === 'ready' ? runtime.id : null))
}
