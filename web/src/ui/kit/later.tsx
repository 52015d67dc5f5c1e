/** A component whose code comes when it is wanted. */
import { type ComponentType, type ReactNode, useEffect, useState } from 'react'

export interface Later<Props extends object> {
  (props: Props): ReactNode
  /** Have the code come now. */
  readonly ahead: () => Promise<void>
}

/**
 * Like React's `lazy`, but what is here already is shown at once: React holds back what follows a placeholder for
 * 300 ms, so that a page does not flicker. A failure to load is thrown where the component stands; the next one tries again.
 */
export function later<Props extends object>(load: () => Promise<{ readonly default: ComponentType<Props> }>, placeholder: ReactNode = null): Later<Props> {
  let Here: ComponentType<Props> | undefined
  let loading: Promise<void> | undefined
  const ahead = () =>
    (loading ??= load().then(
      (module) => {
        Here = module.default
      },
      (error: unknown) => {
        loading = undefined
        throw error
      },
    ))
  function Waiting(props: Props): ReactNode {
    const [, arrived] = useState(false)
    const [failure, setFailure] = useState<unknown>()
    const [waits] = useState(Here === undefined)
    useEffect(() => {
      // Asked of the first rendering and not of this moment: the code may have come between the two.
      if (waits) ahead().then(() => arrived(true), setFailure)
    }, [waits])
    if (failure !== undefined) throw failure
    return Here === undefined ? placeholder : <Here {...props} />
  }
  return Object.assign(Waiting, { ahead })
}
