/** The page's beginning: styles, providers, and which address shows what. */
import '@fontsource-variable/google-sans-flex'
import '@fontsource-variable/google-sans-code'
import './tokens.css'
import './styles/base.css'
import './ui/kit/kit.css'
import './ui/ui.css'
import { Tooltip } from '@base-ui/react/tooltip'
import { type ComponentType, lazy, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { Route, Switch } from 'wouter'
import { DrivePage } from './pages/drive'
import { SignInPage } from './pages/signin'
import { AccountProvider, useAccount } from './ui/account'
import { ErrorBoundary } from './ui/ErrorBoundary'
import { applyTheme, Button, ToastProvider } from './ui/kit'
import { NotFound, Notice, Waiting } from './ui/Notice'

const notebookPage = () => import('./pages/notebook')
const NotebookPage = lazy(notebookPage)
// Whoever comes by a notebook's address need not wait for its code until the server has said who they are.
if (location.pathname.startsWith('/notebooks/')) void notebookPage()
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
        <ToastProvider>
          <AccountProvider>
            <App />
          </AccountProvider>
        </ToastProvider>
      </Tooltip.Provider>
    </ErrorBoundary>
  </StrictMode>,
)
