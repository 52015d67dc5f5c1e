/** The server's HTTP API, one typed function for each thing this page asks. */
import { t } from '../i18n'
import { problemText } from '../i18n/problems'
import type { Item, Listing, Login, Me, NewNotebook, Schemas, Token } from './types'

const BASE = '/api/v1'

/** The server said no, or could not be asked; `message` is fit to be shown. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

/** The problem+json of an answer that is not a success, whatever its body really is. */
export function problem(status: number, body: string): ApiError {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null) {
      const sent = parsed as Readonly<Record<string, unknown>>
      const words = problemText(sent)
      if (words !== undefined) return new ApiError(status, typeof sent.code === 'string' ? sent.code : 'error', words)
    }
  } catch {
    // Not JSON: a proxy's page, or nothing. The status says all there is.
  }
  return new ApiError(status, 'error', status >= 500 ? t('The server had a problem. Try again in a moment.') : t('The server refused this ({status}).', { status }))
}

type Query = Readonly<Record<string, string | boolean | null | undefined>>

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== null && value !== undefined) search.set(key, String(value))
  const text = search.toString()
  return `${BASE}${path}${text && `?${text}`}`
}

export interface Request {
  readonly query?: Query
  readonly json?: unknown
  readonly body?: BodyInit
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** The answer to a request that the server fulfilled; rejects with an ApiError, whose code is `cancelled` when it was given up here. */
export async function request(method: string, path: string, { query, json, body, headers, signal }: Request = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(address(path, query), {
      method,
      credentials: 'same-origin',
      headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      ...(signal && { signal }),
    })
  } catch {
    if (signal?.aborted === true) throw new ApiError(0, 'cancelled', 'Cancelled.')
    throw new ApiError(0, 'offline', t('The server cannot be reached. Check your connection and try again.'))
  }
  if (!answer.ok) throw problem(answer.status, await answer.text())
  return answer
}

export async function ask<Answer>(method: string, path: string, what: Request = {}): Promise<Answer> {
  const text = await (await request(method, path, what)).text()
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

const id = encodeURIComponent
/** A body as the server's own description has it. */
const json = <Name extends keyof Schemas>(body: Schemas[Name]) => ({ json: body })

export const api = {
  me: () => ask<Me>('GET', '/me'),
  signIn: (email: string, password: string) => ask<Schemas['SignedIn']>('POST', '/login', json<'SignInRequest'>({ email, password })),
  welcome: (answers: Schemas['WelcomeRequest']) => ask<Schemas['SignedIn']>('POST', '/login/link', json<'WelcomeRequest'>(answers)),
  signOut: () => ask<void>('DELETE', '/login'),
  changePassword: (current: string, next: string) => ask<void>('PUT', '/me/password', json<'PasswordChange'>({ current, new: next })),
  logins: () => ask<readonly Login[]>('GET', '/me/logins'),
  endLogin: (login: string) => ask<void>('DELETE', `/me/logins/${id(login)}`),
  tokens: () => ask<readonly Token[]>('GET', '/me/tokens'),
  createToken: (name: string) => ask<Schemas['TokenCreated']>('POST', '/me/tokens', json<'TokenRequest'>({ name })),
  revokeToken: (token: string) => ask<void>('DELETE', `/me/tokens/${id(token)}`),

  list: (folder: string) => ask<Listing>('GET', '/drive/items', { query: { folder } }),
  listTrash: () => ask<Listing>('GET', '/drive/items', { query: { trash: true } }),
  listShared: () => ask<Listing>('GET', '/drive/items', { query: { folder: 'shared' } }),
  item: (item: string) => ask<Item>('GET', `/drive/items/${id(item)}`),
  createFolder: (name: string, parent: string | null) => ask<Item>('POST', '/drive/folders', json<'FolderRequest'>({ name, parent })),
  rename: (item: string, name: string) => ask<Item>('PATCH', `/drive/items/${id(item)}`, json<'ItemChange'>({ name })),
  move: (item: string, parent: string) => ask<Item>('PATCH', `/drive/items/${id(item)}`, json<'ItemChange'>({ parent })),
  trash: (item: string) => ask<Item>('POST', `/drive/items/${id(item)}/trash`),
  restore: (item: string) => ask<Item>('POST', `/drive/items/${id(item)}/restore`),
  deleteForever: (item: string) => ask<void>('DELETE', `/drive/items/${id(item)}`),

  createNotebook: (name: string | null, folder: string | null) => ask<NewNotebook>('POST', '/notebooks', { query: { name, folder } }),
} as const

/** Where a person may fetch an item as a file. */
export function downloadAddress(item: Pick<Item, 'id' | 'kind'>): string | null {
  switch (item.kind) {
    case 'notebook':
      return address(`/notebooks/${id(item.id)}/content`, { format: 'ipynb' })
    case 'file':
      return address(`/drive/files/${id(item.id)}/content`)
    case 'folder':
      return null
  }
}
