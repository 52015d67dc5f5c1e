/** The card people meet before they are signed in. */
import type { ReactNode } from 'react'
import { t } from '../../i18n'
import { Mark } from '../../ui/kit'

export function EntryCard({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  return (
    <main className="entry">
      <div className="entry-card">
        <div className="entry-brand">
          <Mark size={44} />
          <span className="wordmark">{t('Collegium')}</span>
        </div>
        <h1 className="entry-title">{title}</h1>
        <p className="entry-lead">{lead}</p>
        {children}
      </div>
    </main>
  )
}
