/** Something the server keeps, asked for once and again after each change. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { notifyError } from '../../ui/kit'

export function useLoaded<Thing>(ask: () => Promise<Thing>, trouble: string): readonly [Thing | undefined, () => Promise<void>] {
  const [thing, setThing] = useState<Thing>()
  const question = useRef(ask)
  const load = useCallback(async () => {
    try {
      setThing(await question.current())
    } catch (error) {
      notifyError(trouble, error)
    }
  }, [trouble])
  useEffect(() => void load(), [load])
  return [thing, load]
}
