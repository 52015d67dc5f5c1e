/** The bar over what is looked at of the past, and what was asked of the server for it. */
import { History } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { t } from '../../i18n'
import { Button } from '../kit'
import { useDesk } from '../notebook/hooks'

/** An answer of the server, or why there is none. */
export function useAnswer<T>(ask: () => Promise<T>): { readonly answer: T | null; readonly failure: string | null } {
  const [answer, setAnswer] = useState<T | null>(null)
  const [failure, setFailure] = useState<string | null>(null)
  useEffect(() => {
    let here = true
    ask().then(
      (came) => here && setAnswer(came),
      (cause: unknown) => here && setFailure(cause instanceof Error ? cause.message : String(cause)),
    )
    return () => {
      here = false
    }
    // Whoever shows another thing is another component.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  return { answer, failure }
}

export function Frame({ title, failure, actions, children }: { title: ReactNode; failure: string | null; actions: ReactNode; children: ReactNode }) {
  const desk = useDesk()
  return (
    <div className="past">
      <div className="past-bar" role="region" aria-label={t('The past')}>
        <History size={18} aria-hidden />
        <p className="past-title">{title}</p>
        <span className="past-actions">
          {actions}
          <Button small weight="outline" onClick={() => desk.look(null)}>
            {t('Close')}
          </Button>
        </span>
      </div>
      <div className="past-scroll">
        {failure !== null ? (
          <p className="past-failure" role="alert">
            {failure}
          </p>
        ) : (
          children
        )}
      </div>
    </div>
  )
}
