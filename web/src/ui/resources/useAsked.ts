/** Something asked of the server, and asked again from time to time while somebody looks. */
import { useCallback, useEffect, useRef, useState } from 'react'

export interface Asked<T> {
  readonly value: T | undefined
  readonly error: string | undefined
  readonly again: () => void
  /** What the answer to something else said already. */
  readonly put: (value: T) => void
}

/** `ask` must stay the same function for as long as the question does; null asks nothing. */
export function useAsked<T>(ask: (() => Promise<T>) | null, everyMs?: number): Asked<T> {
  const [state, setState] = useState<{ readonly value?: T; readonly error?: string }>({})
  const turn = useRef(0)
  const again = useCallback(() => {
    if (ask === null) return
    const mine = ++turn.current
    ask().then(
      (value) => mine === turn.current && setState({ value }),
      (cause: unknown) => mine === turn.current && setState(({ value }) => ({ ...(value !== undefined && { value }), error: cause instanceof Error ? cause.message : String(cause) })),
    )
  }, [ask])
  const put = useCallback((value: T) => {
    turn.current++
    setState({ value })
  }, [])
  useEffect(() => {
    setState({})
    again()
    const timer = everyMs === undefined ? undefined : setInterval(() => document.visibilityState === 'visible' && again(), everyMs)
    return () => {
      turn.current++
      clearInterval(timer)
    }
  }, [again, everyMs])
  return { value: state.value, error: state.error, again, put }
}
