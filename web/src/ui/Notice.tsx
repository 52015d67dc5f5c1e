/** A whole page that says one thing: not found, failed, waiting. */
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { t } from '../i18n'
import { useAccount } from './account'
import { Button, Mark, notifyError, Spinner } from './kit'

export function Notice({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <main className="notice">
      <Mark size={48} />
      <h1>{title}</h1>
      <p>{children}</p>
      <div className="notice-actions">{actions ?? <ToDrive />}</div>
    </main>
  )
}

/** No page has this address. */
export function Nowhere() {
  return (
    <Notice title={t('There is nothing here')}>
      {t('The address may be mistyped, or what it led to is gone.')}
    </Notice>
  )
}

/** Not there for who is signed in: somebody who has two accounts, or was sent a link, learns what to do about it. */
export function NotFound() {
  const { account, signOut } = useAccount()
  if (account.state !== 'in') return <Nowhere />
  const leave = () => void signOut().catch((error: unknown) => notifyError(t('Could not sign out'), error))
  return (
    <Notice
      title={t('There is nothing here for you')}
      actions={
        <>
          <ToDrive />
          <Button onClick={leave}>{t('Use another account')}</Button>
        </>
      }
    >
      {t('You are signed in as {email}. What this leads to was deleted, or it is not shared with you: then ask whoever sent you the address to share it with this account.', { email: account.me.email })}
    </Notice>
  )
}

const ToDrive = () => <Link href="/" className="button button-soft">{t('Go to your drive')}</Link>

export function Waiting() {
  return (
    <div className="waiting">
      <Spinner large label={t('Loading')} />
    </div>
  )
}
