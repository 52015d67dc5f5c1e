/** One subject of the account page. */
import { type ReactNode, useId } from 'react'

export function Section({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const id = useId()
  return (
    <section className="account-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {lead !== undefined && <p className="account-lead">{lead}</p>}
      {children}
    </section>
  )
}
