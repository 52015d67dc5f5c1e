/** The corner where notices appear, from the first one on. */
import { useEffect, useState } from 'react'
import { later } from './later'
import { somethingWaits, subscribe } from './notify'

const Toasts = later(() => import('./Toasts'))
const REST_MS = 3000

export function Notices() {
  const [wanted, setWanted] = useState(somethingWaits)
  useEffect(() => subscribe(() => setWanted(true)), [])
  useEffect(() => {
    // Here before the server is gone, when there will be something to say.
    const timer = setTimeout(() => void Toasts.ahead().then(() => setWanted(true), () => undefined), REST_MS)
    return () => clearTimeout(timer)
  }, [])
  return wanted && <Toasts />
}
