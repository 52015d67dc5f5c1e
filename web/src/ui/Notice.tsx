/** A whole page that says one thing: not found, failed, waiting. */
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { t } from '../i18n'
import { Mark, Spinner } from './kit'

export function Notice({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <main className="notice">
      <Mark size={48} />
      <h1>{title}</h1>
      <p>{children}</p>
      <div className="notice-actions">{actions ?? <Link href="/" className="button button-soft">{t('Go to your drive')}</Link>}</div>
    </main>
  )
}

export function NotFound() {
  return (
    <Notice title={t('There is nothing here')}>
      {t('The address may be mistyped, or what it led to was deleted or is not shared with you.')}
    </Notice>
  )
}

export function Waiting() {
  return (
    <div className="waiting">
      <Spinner large label={t('Loading')} />
    </div>
  )
}
