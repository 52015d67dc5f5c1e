/** What this page asks of the server about comments. */
import { ask } from '../../api/client'
import type { Schemas } from '../../api/types'
import type { Place } from '../../model/anchors'

export type Thread = Readonly<Schemas['ThreadShown']>
export type Comment = Readonly<Schemas['CommentShown']>
export type Mentionable = Readonly<Schemas['MentionShown']>
export type Said = Readonly<Schemas['SaidShown']>

const at = (notebook: string, ...rest: readonly string[]) => ['', 'notebooks', encodeURIComponent(notebook), 'comments', ...rest.map(encodeURIComponent)].join('/')

export const talk = {
  page: (notebook: string, after: number) => ask<Readonly<Schemas['ThreadsShown']>>('GET', at(notebook), { query: { after: String(after) } }),
  thread: (notebook: string, thread: string) => ask<Thread>('GET', at(notebook, thread)),
  people: (notebook: string, query: string, signal: AbortSignal) => ask<readonly Mentionable[]>('GET', at(notebook, 'people'), { query: { query }, signal }),
  begin: (notebook: string, place: Place, text: string, draft: string) => ask<Said>('POST', at(notebook), { json: { place, text, draft } }),
  reply: (notebook: string, thread: string, text: string, draft: string) => ask<Said>('POST', at(notebook, thread), { json: { text, draft } }),
  edit: (notebook: string, thread: string, comment: string, text: string) => ask<Said>('PUT', at(notebook, thread, comment), { json: { text } }),
  resolve: (notebook: string, thread: string) => ask<Thread>('POST', at(notebook, thread, 'resolve')),
  reopen: (notebook: string, thread: string) => ask<Thread>('POST', at(notebook, thread, 'reopen')),
  remove: (notebook: string, thread: string) => ask<void>('DELETE', at(notebook, thread)),
  share: (notebook: string, email: string) => ask<unknown>('PUT', `/drive/items/${encodeURIComponent(notebook)}/grants`, { json: { email, role: 'commenter' } }),
  removeComment: (notebook: string, thread: string, comment: string) => ask<void>('DELETE', at(notebook, thread, comment)),
} as const
