/** Where a bug ends: the page says so, and what to do, in place of going blank. */
import { Component, type ReactNode } from 'react'
import { t } from '../i18n'
import { Button } from './kit'
import { Notice } from './Notice'

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children
    return (
      <Notice
        title={t('This page stopped working')}
        actions={
          <>
            <Button weight="primary" onClick={() => location.reload()}>
              {t('Load it again')}
            </Button>
            {/* A whole new page: what broke this one may still be there. */}
            <a href="/" className="button button-soft">{t('Go to your drive')}</a>
          </>
        }
      >
        {t('What you wrote is saved on the server and in this browser. If it happens again, tell your administrator: “{message}”.', { message: this.state.error.message })}
      </Notice>
    )
  }
}
