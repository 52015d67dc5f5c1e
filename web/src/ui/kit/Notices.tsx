/** The corner where notices appear, from the first one on. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { somethingWaits, subscribe } from './notify'

const toasts = () => import('./Toasts')
const Toasts = lazy(toasts)
const REST_MS = 3000

export function Notices() {
  const [wanted, setWanted] = useState(somethingWaits)
  useEffect(() => subscribe(() => setWanted(true)), [])
  useEffect(() => {
    // Here before the server is gone, when there will be something to say.
    const timer = setTimeout(() => void toasts().then(() => setWanted(true), () => undefined), REST_MS)
    return () => clearTimeout(timer)
  }, [])
  return wanted && (
    <Suspense>
      <Toasts />
    </Suspense>
  )
}
