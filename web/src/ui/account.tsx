/** Who is signed in, known to every page below. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { ApiError, api } from '../api/client'
import type { Me } from '../api/types'

export type Account = { readonly state: 'asking' } | { readonly state: 'out' } | { readonly state: 'failed'; readonly error: Error } | { readonly state: 'in'; readonly me: Me }

interface AccountContext {
  readonly account: Account
  readonly signedIn: (me: Me) => void
  readonly signOut: () => Promise<void>
  /** The server no longer knows this login. */
  readonly lost: () => void
  readonly retry: () => void
}

const Context = createContext<AccountContext | null>(null)

export function AccountProvider({ children }: { children: ReactNode }) {
  const [account, setAccount] = useState<Account>({ state: 'asking' })
  const retry = useCallback(() => {
    setAccount({ state: 'asking' })
    api.me().then(
      (me) => setAccount({ state: 'in', me }),
      (error: unknown) => setAccount(error instanceof ApiError && error.status === 401 ? { state: 'out' } : { state: 'failed', error: error as Error }),
    )
  }, [])
  useEffect(retry, [retry])
  const value = useMemo<AccountContext>(
    () => ({
      account,
      signedIn: (me) => setAccount({ state: 'in', me }),
      signOut: async () => {
        await api.signOut().catch((error: unknown) => {
          if (!(error instanceof ApiError && error.status === 401)) throw error
        })
        const { forgetSavedCopies } = await import('../room/copy')
        await forgetSavedCopies()
        setAccount({ state: 'out' })
      },
      lost: () => setAccount({ state: 'out' }),
      retry,
    }),
    [account, retry],
  )
  return <Context value={value}>{children}</Context>
}

export function useAccount(): AccountContext {
  const value = useContext(Context)
  if (value === null) throw new Error('useAccount belongs inside AccountProvider')
  return value
}

/** The person signed in; only below a page that requires one. */
export function useMe(): Me {
  const { account } = useAccount()
  if (account.state !== 'in') throw new Error('useMe belongs on a page for people who are signed in')
  return account.me
}
