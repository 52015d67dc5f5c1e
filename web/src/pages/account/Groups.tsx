/** The groups one is in; administrators make, fill and end them here. */
import { ChevronDown, ChevronRight, Users, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { t } from '../../i18n'
import { type Group, sharing } from '../../api/sharing'
import { useMe } from '../../ui/account'
import { Avatar, Button, ConfirmDialog, IconButton, NameDialog, notifyError, TextField } from '../../ui/kit'
import { type Choice, PeopleField } from '../../ui/sharing/PeopleField'
import '../../ui/sharing/sharing.css'
import { Section } from './Section'
import { useLoaded } from './useLoaded'

export function Groups() {
  const { admin } = useMe()
  const [groups, reload] = useLoaded(sharing.groups, t('The groups could not be listed'))
  const [open, setOpen] = useState<string | null>(null)
  const [renaming, setRenaming] = useState<Group | null>(null)
  const [deleting, setDeleting] = useState<Group | null>(null)
  if (!admin && (groups === undefined || groups.length === 0)) return null
  return (
    <Section title={t('Groups')} lead={admin ? t('What is shared with a group is shared with whoever is in it. Everybody can share with every group.') : t('What is shared with these is shared with you. Administrators change who is in them.')}>
      {admin && <NewGroup onMade={(group) => void reload().then(() => setOpen(group))} />}
      <ul className="account-list" aria-label={t('Groups')}>
        {groups?.map((group) => (
          <li key={group.id} className="account-group">
            <div className="account-group-head">
              <button type="button" className="account-group-name" aria-expanded={open === group.id} onClick={() => setOpen(open === group.id ? null : group.id)}>
                {open === group.id ? <ChevronDown size={18} aria-hidden /> : <ChevronRight size={18} aria-hidden />}
                <Users size={20} aria-hidden />
                <span className="account-words">
                  <strong>{group.name}</strong>
                  <span>{group.size === 1 ? t('1 person') : t('{size} people', { size: group.size })}</span>
                </span>
              </button>
              {admin && (
                <>
                  <Button small weight="ghost" onClick={() => setRenaming(group)} aria-label={t('Rename {name}', { name: group.name })}>
                    {t('Rename')}
                  </Button>
                  <Button small weight="ghost" onClick={() => setDeleting(group)} aria-label={t('Delete {name}', { name: group.name })}>
                    {t('Delete')}
                  </Button>
                </>
              )}
            </div>
            {open === group.id && <Members group={group} admin={admin} onChanged={reload} />}
          </li>
        ))}
      </ul>
      <NameDialog
        open={renaming !== null}
        onClose={() => setRenaming(null)}
        title={t('Rename group')}
        label={t('Name')}
        initial={renaming?.name ?? ''}
        submit={t('Rename')}
        onSubmit={async (name) => {
          if (renaming) await sharing.renameGroup(renaming.id, name)
          await reload()
        }}
      />
      <ConfirmDialog
        open={deleting !== null}
        onClose={() => setDeleting(null)}
        danger
        title={t('Delete “{value}”?', { value: deleting?.name ?? '' })}
        description={t('Whoever can open something only by this group loses it at once.')}
        confirm={t('Delete')}
        onConfirm={async () => {
          if (deleting) await sharing.deleteGroup(deleting.id).then(reload, (error: unknown) => notifyError(t('It could not be deleted'), error))
        }}
      />
    </Section>
  )
}

function NewGroup({ onMade }: { onMade: (group: string) => void }) {
  const [name, setName] = useState('')
  const [busy, setBusy] = useState(false)
  const create = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    try {
      const { id } = await sharing.createGroup(name.trim())
      setName('')
      onMade(id)
    } catch (error) {
      notifyError(t('The group could not be made'), error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="account-row" onSubmit={(event) => void create(event)}>
      <TextField label={t('Name of the new group')} value={name} onChange={setName} placeholder={t('Who is in it')} maxLength={100} required />
      <Button type="submit" weight="soft" busy={busy} disabled={name.trim() === ''}>
        {t('Create group')}
      </Button>
    </form>
  )
}

function Members({ group, admin, onChanged }: { group: Group; admin: boolean; onChanged: () => Promise<void> }) {
  const [found, reload] = useLoaded(() => sharing.group(group.id), t('The members could not be listed'))
  const [text, setText] = useState('')
  const [choice, setChoice] = useState<Choice | null>(null)
  const [error, setError] = useState<string>()
  const both = () => Promise.all([reload(), onChanged()])
  const add = async (event: FormEvent) => {
    event.preventDefault()
    try {
      await sharing.addMember(group.id, choice?.kind === 'person' ? choice.person.email : text.trim())
      setText('')
      setChoice(null)
      await both()
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    }
  }
  return (
    <div className="account-members">
      {admin && (
        <form className="account-row" onSubmit={(event) => void add(event)}>
          <PeopleField
            label={t('Add to {name}', { name: group.name })}
            groups={false}
            text={text}
            error={error}
            onChange={(next, chosen) => {
              setText(next)
              setChoice(chosen)
              setError(undefined)
            }}
          />
          <Button type="submit" weight="soft" disabled={text.trim() === ''}>
            {t('Add')}
          </Button>
        </form>
      )}
      <ul className="share-list" aria-label={t('Members of {name}', { name: group.name })}>
        {found?.members.map((member) => (
          <li key={member.id}>
            <Avatar name={member.name} color={member.color} size={34} decorative />
            <span className="share-person">
              <strong>{member.name}</strong>
              <span>{member.email}</span>
            </span>
            {admin && (
              <IconButton
                label={t('Remove {name} from {name2}', { name: member.name, name2: group.name })}
                icon={<X size={16} aria-hidden />}
                onClick={() => void sharing.removeMember(group.id, member.email).then(both, (cause: unknown) => notifyError(t('It could not be changed'), cause))}
              />
            )}
          </li>
        ))}
        {found?.members.length === 0 && <li className="share-none">{t('Nobody yet.')}</li>}
      </ul>
    </div>
  )
}
