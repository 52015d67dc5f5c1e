/** How much one has not read, kept fresh by a socket: browsers open only six plain connections to a server, and many sockets. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { ApiError, ask } from '../../api/client'
import type { Schemas } from '../../api/types'

export type Notification = Readonly<Schemas['NotificationShown']>
export type Page = Readonly<Schemas['NotificationsShown']>

const AGAIN_MS_MIN = 1000
const AGAIN_MS_MAX = 60_000
const SIGNED_OUT = 4401

/** Null: not known yet. */
export const unread: StoreApi<number | null> = createStore<number | null>(() => null)

let listeners = 0
let socket: WebSocket | null = null
let timer: ReturnType<typeof setTimeout> | undefined
let wait = AGAIN_MS_MIN

function connect(): void {
  const here = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/me/notifications/socket`)
  socket = here
  here.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as { type?: unknown; unread?: unknown }
    if (message.type !== 'notifications' || typeof message.unread !== 'number') return
    wait = AGAIN_MS_MIN
    unread.setState(message.unread, true)
  }
  here.onclose = ({ code }) => {
    if (socket !== here) return
    socket = null
    if (code === SIGNED_OUT || listeners === 0) return
    timer = setTimeout(connect, wait * (0.75 + Math.random() / 2))
    wait = Math.min(AGAIN_MS_MAX, wait * 2)
  }
}

/** Stay informed until the farewell that this gives. */
export function listen(): () => void {
  if (listeners++ === 0) connect()
  return () => {
    if (--listeners > 0) return
    clearTimeout(timer)
    socket?.close()
    socket = null
  }
}

export const told = (before: string | null) => ask<Page>('GET', '/me/notifications', { query: { before } })
export const markRead = (ids: readonly string[] | null) => ask<void>('POST', '/me/notifications/read', { json: { ids } })

/** Whoever looks at a thread has read what they were told of it. */
export function markThreadRead(thread: string): void {
  if (!unread.getState() || !/^[0-9a-z]{22}$/.test(thread)) return
  ask<void>('POST', '/me/notifications/read', { json: { thread } }).catch((error: unknown) => {
    // It stays unread, and can be marked in the list.
    if (!(error instanceof ApiError)) throw error
  })
}
