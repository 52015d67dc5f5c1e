/** How roles, links and their ends are said. */
import type { Audience, LinkAccess } from '../../api/sharing'
import type { GrantRole } from '../../api/types'

export const ROLES: readonly { readonly value: GrantRole; readonly label: string }[] = [
  { value: 'viewer', label: 'Viewer' },
  { value: 'commenter', label: 'Commenter' },
  { value: 'editor', label: 'Editor' },
]

export const AUDIENCES: readonly { readonly value: Audience; readonly label: string }[] = [
  { value: 'restricted', label: 'Restricted' },
  { value: 'signed_in', label: 'Anyone signed in' },
  { value: 'anyone', label: 'Anyone with the link' },
]

export const roleName = (role: string) => (role === 'owner' ? 'Owner' : (ROLES.find(({ value }) => value === role)?.label ?? role))

const DOES: Readonly<Record<GrantRole, string>> = { viewer: 'read', commenter: 'read and comment', editor: 'edit and run' }

/** What a link means, in a sentence. */
export function explained(audience: Audience, role: GrantRole): string {
  switch (audience) {
    case 'restricted':
      return 'Only the people and groups above can open it.'
    case 'signed_in':
      return `Whoever has an account here and knows the address can ${DOES[role]}.`
    case 'anyone':
      return role === 'viewer' ? 'Whoever knows the address can read, also without an account.' : `Whoever knows the address can read, also without an account. Who is signed in can ${DOES[role]}.`
  }
}

/** What a folder above adds. */
export function inherited({ audience, role, source }: LinkAccess): string {
  const whom = audience === 'anyone' ? 'Anyone with the link' : 'Anyone signed in'
  return `${whom} can open it too, as ${roleName(role).toLowerCase()}: that comes from ${source === null ? 'a folder above' : `the folder “${source.name}”`}, and is changed there.`
}

const DAY_MS = 86_400_000
const TERMS = [1, 7, 30, 90] as const

/** When something may end: never, after some days, or when it was said to before. */
export function terms(expiresAt: number | null): readonly { readonly value: string; readonly label: string }[] {
  const days = TERMS.map((count) => ({ value: String(count), label: count === 1 ? 'For 1 day' : `For ${count} days` }))
  const now = expiresAt === null ? [] : [{ value: 'now', label: until(expiresAt) }]
  return [{ value: 'never', label: 'No end' }, ...now, ...days]
}

export function expiryOf(term: string, former: number | null): number | null {
  return term === 'never' ? null : term === 'now' ? former : Date.now() + Number(term) * DAY_MS
}

export function until(at: number): string {
  const when = new Date(at)
  const soon = at - Date.now() < DAY_MS
  return `Until ${when.toLocaleString(undefined, soon ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short', year: 'numeric' })}`
}
