/** Nothing here yet, what would be here, and how to make it so. */
import type { ReactNode } from 'react'

export function EmptyState({ icon, title, children, actions }: { icon: ReactNode; title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="empty">
      <div className="empty-icon" aria-hidden>
        {icon}
      </div>
      <h2 className="empty-title">{title}</h2>
      <p className="empty-text">{children}</p>
      {actions !== undefined && <div className="empty-actions">{actions}</div>}
    </div>
  )
}
