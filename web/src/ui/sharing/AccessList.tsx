/** Everybody who was given a role, what it is, and where it comes from. */
import { X } from 'lucide-react'
import { t } from '../../i18n'
import { type GroupAccess, type PersonAccess, type Sharing, sharing, type Whom } from '../../api/sharing'
import type { GrantRole } from '../../api/types'
import { Avatar, IconButton, Select } from '../kit'
import { type Choice, Face, sizeText } from './PeopleField'
import { expiryOf, roleName, roles, terms, until } from './words'

export interface AccessListProps {
  readonly item: string
  readonly shared: Sharing
  readonly me: string
  /** Does it, and shows how things are then. */
  readonly change: (work: Promise<unknown>) => void
}

export function AccessList({ item, shared, me, change }: AccessListProps) {
  const { owner } = shared
  return (
    <ul className="share-list" aria-label={t('People with access')}>
      <li>
        <Avatar name={owner.name} color={owner.color} size={34} decorative />
        <div className="share-person">
          <strong>{owner.id === me ? t('{name} (you)', { name: owner.name }) : owner.name}</strong>
          {owner.email !== null && <span>{owner.email}</span>}
        </div>
        <span className="share-fixed">{t('Owner')}</span>
      </li>
      {shared.people.map((access) => (
        <Row key={access.id} choice={{ kind: 'person', person: access }} detail={access.email} you={access.id === me} whom={{ email: access.email }} {...{ item, shared, access, change }} />
      ))}
      {shared.groups.map((access) => (
        <Row key={access.group.id} choice={{ kind: 'group', group: access.group }} detail={sizeText(access.group.size)} you={false} whom={{ group: access.group.id }} {...{ item, shared, access, change }} />
      ))}
    </ul>
  )
}

interface RowProps {
  readonly item: string
  readonly shared: Sharing
  readonly access: PersonAccess | GroupAccess
  readonly choice: Choice
  readonly detail: string
  readonly you: boolean
  readonly whom: Whom
  readonly change: (work: Promise<unknown>) => void
}

function Row({ item, shared, access, choice, detail, you, whom, change }: RowProps) {
  const name = choice.kind === 'person' ? choice.person.name : choice.group.name
  const { expires_at: ends, inherited, source } = access
  const role = access.role as GrantRole
  const changeable = shared.role === 'owner' && !inherited
  const leaves = you && !inherited && !changeable
  return (
    <li>
      <Face choice={choice} />
      <div className="share-person">
        <strong>{you ? t('{name} (you)', { name }) : name}</strong>
        <span>{detail}</span>
        {inherited && <span>{source === null ? t('From a folder above') : t('From the folder “{name}”', { name: source.name })}</span>}
        {!changeable && ends !== null && <span>{until(ends)}</span>}
      </div>
      <div className="share-controls">
        {changeable ? (
          <>
            <Select label={t('Role of {name}', { name })} value={role} options={roles()} onChange={(next) => change(sharing.give(item, whom, next, ends))} />
            <Select label={t('End of the role of {name}', { name })} value={ends === null ? 'never' : 'now'} options={terms(ends)} onChange={(term) => change(sharing.give(item, whom, role, expiryOf(term, ends)))} />
          </>
        ) : (
          <span className="share-fixed">{roleName(role)}</span>
        )}
        {(changeable || leaves) && <IconButton label={leaves ? t('Give up your role') : t('Remove {name}', { name })} icon={<X size={16} aria-hidden />} onClick={() => change(sharing.withdraw(item, whom))} />}
      </div>
    </li>
  )
}
