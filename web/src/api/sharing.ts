/** With whom things are shared: people, groups, and whoever knows the address. */
import { ask } from './client'
import type { GrantRole, Schemas } from './types'

export type Sharing = Readonly<Schemas['Sharing']>
export type PersonAccess = Readonly<Schemas['PersonAccess']>
export type GroupAccess = Readonly<Schemas['GroupAccessShown']>
export type LinkAccess = Readonly<Schemas['LinkShown']>
export type Audience = Schemas['Audience']
export type Person = Readonly<Schemas['PersonNamed']>
export type Group = Readonly<Schemas['GroupShown']>
export type Found = { readonly people: readonly Person[]; readonly groups: readonly Group[] }
/** A person by their address, or a group by its id. */
export type Whom = { readonly email: string } | { readonly group: string }

const id = encodeURIComponent

export const sharing = {
  of: (item: string) => ask<Sharing>('GET', `/drive/items/${id(item)}/sharing`),
  give: (item: string, whom: Whom, role: GrantRole, expires_at: number | null) =>
    ask<unknown>('PUT', `/drive/items/${id(item)}/grants`, { json: { ...whom, role, expires_at } satisfies Schemas['GrantRequest'] }),
  withdraw: (item: string, whom: Whom) => ask<unknown>('DELETE', `/drive/items/${id(item)}/grants`, { json: whom satisfies Schemas['GrantWithdrawal'] }),
  setLink: (item: string, audience: Audience, role: GrantRole, expires_at: number | null) =>
    ask<Sharing>('PUT', `/drive/items/${id(item)}/link`, { json: { audience, role, expires_at } satisfies Schemas['LinkRequest'] }),
  transfer: (item: string, email: string) => ask<Sharing>('POST', `/drive/items/${id(item)}/transfer`, { json: { email } satisfies Schemas['TransferRequest'] }),
  find: (query: string) => ask<Found>('GET', '/people', { query: { query } }),

  groups: () => ask<readonly Group[]>('GET', '/groups'),
  group: (group: string) => ask<Readonly<Schemas['GroupWithMembers']>>('GET', `/groups/${id(group)}`),
  createGroup: (name: string) => ask<Group>('POST', '/groups', { json: { name } }),
  renameGroup: (group: string, name: string) => ask<Group>('PATCH', `/groups/${id(group)}`, { json: { name } }),
  deleteGroup: (group: string) => ask<void>('DELETE', `/groups/${id(group)}`),
  addMember: (group: string, email: string) => ask<void>('PUT', `/groups/${id(group)}/members`, { json: { email } }),
  removeMember: (group: string, email: string) => ask<void>('DELETE', `/groups/${id(group)}/members`, { json: { email } }),
} as const
