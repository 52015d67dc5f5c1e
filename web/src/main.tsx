/** The page's beginning: styles, providers, and which address shows what. */
import './styles/fonts.css'
import './tokens.css'
import './styles/base.css'
import './ui/kit/kit.css'
import './ui/ui.css'
import { Tooltip } from '@base-ui/react/tooltip'
import { type ComponentType, lazy, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { Route, Switch } from 'wouter'
import { AccountProvider, useAccount } from './ui/account'
import { ErrorBoundary } from './ui/ErrorBoundary'
import { applyTheme, Button, Notices } from './ui/kit'
import { NotFound, Notice, Waiting } from './ui/Notice'

const drivePage = () => import('./pages/drive')
const notebookPage = () => import('./pages/notebook')
const DrivePage = lazy(drivePage)
const NotebookPage = lazy(notebookPage)
// The page's code comes while the server is still asked who this is.
if (location.pathname.startsWith('/notebooks/')) void notebookPage()
else if (location.pathname === '/' || location.pathname.startsWith('/drive/')) void drivePage()
const SignInPage = lazy(() => import('./pages/signin'))
const AccountPage = lazy(() => import('./pages/account'))
const WelcomePage = lazy(() => import('./pages/welcome'))

/** The page, or sign-in at the same address, so that signing in leads on to where the person was going. */
function Private<Props extends object>({ page: Page, props }: { page: ComponentType<Props>; props: Props }) {
  const { account, retry } = useAccount()
  switch (account.state) {
    case 'asking':
      return <Waiting />
    case 'out':
      return <SignInPage />
    case 'failed':
      return (
        <Notice title="Collegium does not answer" actions={<Button weight="primary" onClick={retry}>Try again</Button>}>
          {account.error.message}
        </Notice>
      )
    case 'in':
      return <Page {...props} />
  }
}

function App() {
  return (
    <Suspense fallback={<Waiting />}>
      <Switch>
        <Route path="/">
          <Private page={DrivePage} props={{ view: 'mine', folder: 'root' }} />
        </Route>
        <Route path="/drive/shared">
          <Private page={DrivePage} props={{ view: 'shared', folder: 'shared' }} />
        </Route>
        <Route path="/drive/trash">
          <Private page={DrivePage} props={{ view: 'trash', folder: 'root' }} />
        </Route>
        <Route path="/drive/:folder">{({ folder }) => <Private page={DrivePage} props={{ view: 'mine', folder }} />}</Route>
        <Route path="/notebooks/:id">{({ id }) => <Private page={NotebookPage} props={{ id }} />}</Route>
        <Route path="/account">
          <Private page={AccountPage} props={{}} />
        </Route>
        <Route path="/welcome">
          <WelcomePage />
        </Route>
        <Route>
          <NotFound />
        </Route>
      </Switch>
    </Suspense>
  )
}

applyTheme()
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ErrorBoundary>
      <Tooltip.Provider delay={500}>
        <AccountProvider>
          <App />
        </AccountProvider>
        <Notices />
      </Tooltip.Provider>
    </ErrorBoundary>
  </StrictMode>,
)
