/** How roles, links and their ends are said. */
import { at as written } from '../../i18n/formats'
import { msg, t } from '../../i18n'
import type { Audience, LinkAccess } from '../../api/sharing'
import type { GrantRole } from '../../api/types'

const ROLES: readonly { readonly value: GrantRole; readonly label: string }[] = [
  { value: 'viewer', label: msg('Viewer') },
  { value: 'commenter', label: msg('Commenter') },
  { value: 'editor', label: msg('Editor') },
]

const AUDIENCES: readonly { readonly value: Audience; readonly label: string }[] = [
  { value: 'restricted', label: msg('Restricted') },
  { value: 'signed_in', label: msg('Anyone signed in') },
  { value: 'anyone', label: msg('Anyone with the link') },
]

const said = <Value>({ value, label }: { readonly value: Value; readonly label: string }) => ({ value, label: t(label) })
export const roles = () => ROLES.map(said)
export const audiences = () => AUDIENCES.map(said)

export const roleName = (role: string) => (role === 'owner' ? t('Owner') : t(ROLES.find(({ value }) => value === role)?.label ?? role))

const DOES: Readonly<Record<GrantRole, string>> = { viewer: msg('read'), commenter: msg('read and comment'), editor: msg('edit and run') }

/** What a link means, in a sentence. */
export function explained(audience: Audience, role: GrantRole): string {
  switch (audience) {
    case 'restricted':
      return t('Only the people and groups above can open it.')
    case 'signed_in':
      return t('Whoever has an account here and knows the address can {does}.', { does: t(DOES[role]) })
    case 'anyone':
      return role === 'viewer' ? t('Whoever knows the address can read, also without an account.') : t('Whoever knows the address can read, also without an account. Who is signed in can {does}.', { does: t(DOES[role]) })
  }
}

/** Within a sentence. */
const WITHIN: Readonly<Record<string, string>> = { viewer: msg('viewer'), commenter: msg('commenter'), editor: msg('editor') }

/** What a folder above adds. */
export function inherited({ audience, role, source }: LinkAccess): string {
  const values = { role: t(WITHIN[role] ?? role), folder: source?.name ?? '' }
  if (audience === 'anyone') {
    return source === null
      ? t('Anyone with the link can open it too, as {role}: that comes from a folder above, and is changed there.', values)
      : t('Anyone with the link can open it too, as {role}: that comes from the folder “{folder}”, and is changed there.', values)
  }
  return source === null
    ? t('Anyone signed in can open it too, as {role}: that comes from a folder above, and is changed there.', values)
    : t('Anyone signed in can open it too, as {role}: that comes from the folder “{folder}”, and is changed there.', values)
}

const DAY_MS = 86_400_000
const TERMS = [1, 7, 30, 90] as const

/** When something may end: never, after some days, or when it was said to before. */
export function terms(expiresAt: number | null): readonly { readonly value: string; readonly label: string }[] {
  const days = TERMS.map((count) => ({ value: String(count), label: count === 1 ? t('For 1 day') : t('For {count} days', { count }) }))
  const now = expiresAt === null ? [] : [{ value: 'now', label: until(expiresAt) }]
  return [{ value: 'never', label: t('No end') }, ...now, ...days]
}

export function expiryOf(term: string, former: number | null): number | null {
  return term === 'never' ? null : term === 'now' ? former : Date.now() + Number(term) * DAY_MS
}

export function until(at: number): string {
  const soon = at - Date.now() < DAY_MS
  return t('Until {when}', { when: written(soon ? 'clock' : 'day', at) })
}
