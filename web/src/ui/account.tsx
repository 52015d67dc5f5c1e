/** Who is signed in, known to every page below. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { ApiError, api } from '../api/client'
import type { Me } from '../api/types'
import { belongTo } from '../settings/account'
import { remember, remembered } from './remembered'

export type Account = { readonly state: 'asking' } | { readonly state: 'out'; /** They may be shown what is open to everybody; else they want to sign in. */ readonly looking: boolean } | { readonly state: 'failed'; readonly error: Error } | { readonly state: 'in'; readonly me: Me; /** From memory: the server could not be asked. */ readonly unsure?: boolean }

const AGAIN_EVERY_MS = 15_000
/** What a proxy says when the server is not there. */
const AWAY = new Set([0, 502, 503, 504])

async function asked(): Promise<Account> {
  try {
    const me = await api.me()
    remember(me)
    return { state: 'in', me }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) {
      remember(null)
      return { state: 'out', looking: true }
    }
    const me = AWAY.has(error.status) ? remembered() : null
    return me === null ? { state: 'failed', error } : { state: 'in', me, unsure: true }
  }
}

/** What is known after asking again: the same person stays the same object, so that nothing on the page starts anew. */
function settled(now: Account, next: Account): Account {
  if (now.state !== 'in' || next.state === 'failed') return now
  return next.state === 'in' && JSON.stringify(next.me) === JSON.stringify(now.me) ? { ...next, me: now.me } : next
}

interface AccountContext {
  readonly account: Account
  readonly signedIn: (me: Me) => void
  readonly signOut: () => Promise<void>
  /** The server no longer knows this login. */
  readonly lost: () => void
  /** A guest wants to sign in, here. */
  readonly enter: () => void
  readonly retry: () => void
}

const Context = createContext<AccountContext | null>(null)

export function AccountProvider({ children }: { children: ReactNode }) {
  const [account, setAccount] = useState<Account>({ state: 'asking' })
  const retry = useCallback(() => {
    setAccount({ state: 'asking' })
    void asked().then(setAccount)
  }, [])
  useEffect(retry, [retry])
  const unsure = account.state === 'in' && account.unsure === true
  useEffect(() => {
    if (!unsure) return
    const again = () => void asked().then((next) => setAccount((now) => settled(now, next)))
    const timer = setInterval(again, AGAIN_EVERY_MS)
    addEventListener('online', again)
    return () => {
      clearInterval(timer)
      removeEventListener('online', again)
    }
  }, [unsure])
  const known = account.state === 'in' && !unsure ? account.me.id : null
  useEffect(() => void belongTo(known), [known])
  const value = useMemo<AccountContext>(
    () => ({
      account,
      signedIn: (me) => {
        remember(me)
        setAccount({ state: 'in', me })
      },
      signOut: async () => {
        await api.signOut().catch((error: unknown) => {
          if (!(error instanceof ApiError && error.status === 401)) throw error
        })
        const who = remembered()
        remember(null)
        const { forgetSavedCopies } = await import('../room/shelf')
        // Where nothing can be kept, there is nothing to forget.
        if (who !== null) await forgetSavedCopies(who.id).catch(() => undefined)
        setAccount({ state: 'out', looking: false })
      },
      lost: () => {
        remember(null)
        setAccount({ state: 'out', looking: false })
      },
      enter: () => setAccount({ state: 'out', looking: false }),
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

/** Who came by a link, without an account. */
const GUEST: Me = { id: 'guest', name: 'Guest', email: '', color: '#5b6472', admin: false }

/** The person signed in, or a guest; only below a page that requires one of them. */
export function useMe(): Me {
  const { account } = useAccount()
  if (account.state === 'in') return account.me
  if (account.state === 'out' && account.looking) return GUEST
  throw new Error('useMe belongs on a page for people who are signed in')
}

/** Nobody is signed in: the page shows what a link opens to everybody. */
export const useIsGuest = (): boolean => useMe() === GUEST
