/** The bar above every page but the notebook's: the mark, what the page adds, the person. */
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { t } from '../i18n'
import { later, Mark } from './kit'
import { UserMenu } from './UserMenu'

const Bell = later(() => import('./notifications/Bell'), <span className="icon-button" />)

export function TopBar({ children }: { children?: ReactNode }) {
  return (
    <header className="topbar">
      <Link href="/" className="topbar-home" aria-label={t('Collegium, your drive')}>
        <Mark size={34} />
        <span className="wordmark">{t('Collegium')}</span>
      </Link>
      <div className="topbar-middle">{children}</div>
      <Bell />
      <UserMenu />
    </header>
  )
}
