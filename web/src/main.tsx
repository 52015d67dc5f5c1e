/** The page's beginning: styles, providers, and which address shows what. */
import './styles/fonts.css'
import './tokens.css'
import './styles/base.css'
import './ui/kit/kit.css'
import './ui/ui.css'
import { type ComponentType, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Route, Switch } from 'wouter'
import { t } from './i18n'
import { words } from './i18n/language'
import { AccountProvider, useAccount } from './ui/account'
import { ErrorBoundary } from './ui/ErrorBoundary'
import { applyTheme, Button, Hints, later, Notices } from './ui/kit'
import { Notice, Nowhere, Waiting } from './ui/Notice'
import { applyAccessibility } from './settings/apply'

const page = <Props extends object>(load: () => Promise<{ readonly default: ComponentType<Props> }>) => later(load, <Waiting />)
const DrivePage = page(() => import('./pages/drive'))
const NotebookPage = page(() => import('./pages/notebook'))
const SignInPage = page(() => import('./pages/signin'))
const AccountPage = page(() => import('./pages/account'))
const DiffPage = page(() => import('./pages/diff'))
const SettingsPage = page(() => import('./pages/settings'))
const WelcomePage = page(() => import('./pages/welcome'))

// The page's code comes while the server is still asked who this is; a failure is told where the page is shown.
const first = location.pathname.startsWith('/notebooks/') ? NotebookPage : location.pathname === '/' || location.pathname.startsWith('/drive/') ? DrivePage : null
first?.ahead().catch(() => undefined)

/** The page, or sign-in at the same address, so that signing in leads on to where the person was going. */
function Private<Props extends object>({ page: Page, props, guests = false }: { page: ComponentType<Props>; props: Props; guests?: boolean }) {
  const { account, retry } = useAccount()
  switch (account.state) {
    case 'asking':
      return <Waiting />
    case 'out':
      return guests && account.looking ? <Page {...props} /> : <SignInPage />
    case 'failed':
      return (
        <Notice title={t('Collegium does not answer')} actions={<Button weight="primary" onClick={retry}>{t('Try again')}</Button>}>
          {account.error.message}
        </Notice>
      )
    case 'in':
      return <Page {...props} />
  }
}

function App() {
  return (
    <Switch>
      <Route path="/">
        <Private page={DrivePage} props={{ view: 'mine', folder: 'root' }} />
      </Route>
      <Route path="/drive/shared">
        <Private page={DrivePage} props={{ view: 'shared', folder: 'shared' }} />
      </Route>
      <Route path="/drive/recent">
        <Private page={DrivePage} props={{ view: 'recent', folder: 'recent' }} />
      </Route>
      <Route path="/drive/starred">
        <Private page={DrivePage} props={{ view: 'starred', folder: 'starred' }} />
      </Route>
      <Route path="/drive/search">
        <Private page={DrivePage} props={{ view: 'search', folder: 'search' }} />
      </Route>
      <Route path="/drive/trash">
        <Private page={DrivePage} props={{ view: 'trash', folder: 'root' }} />
      </Route>
      <Route path="/drive/:folder">{({ folder }) => <Private page={DrivePage} props={{ view: 'mine', folder }} />}</Route>
      <Route path="/notebooks/:id">{({ id }) => <Private page={NotebookPage} props={{ id }} guests />}</Route>
      <Route path="/account">
        <Private page={AccountPage} props={{}} />
      </Route>
      <Route path="/settings">
        <Private page={SettingsPage} props={{}} guests />
      </Route>
      <Route path="/diff">
        <Private page={DiffPage} props={{}} />
      </Route>
      <Route path="/welcome">
        <WelcomePage />
      </Route>
      <Route>
        <Nowhere />
      </Route>
    </Switch>
  )
}

// Once the page is at rest: it costs a few megabytes, and nobody waits for it.
const REST_MS = 3000
const shell = () => import('./shell/build')
addEventListener('load', () => setTimeout(() => void shell().then(({ keepShell }) => keepShell(), () => undefined), REST_MS))
addEventListener('vite:preloadError', () => void shell().then(({ missed }) => missed()).catch(() => undefined))

applyTheme()
applyAccessibility()
function draw(): void {
  createRoot(document.getElementById('root') as HTMLElement).render(
    <StrictMode>
      <ErrorBoundary>
        <AccountProvider>
          <App />
        </AccountProvider>
        <Notices />
        <Hints />
      </ErrorBoundary>
    </StrictMode>,
  )
}

const waiting = words()
if (waiting) void waiting.then(draw)
else draw()
