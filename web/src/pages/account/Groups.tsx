/** The groups one is in; administrators make, fill and end them here. */
import { ChevronDown, ChevronRight, Users, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { type Group, sharing } from '../../api/sharing'
import { useMe } from '../../ui/account'
import { Avatar, Button, ConfirmDialog, IconButton, NameDialog, notifyError, TextField } from '../../ui/kit'
import { type Choice, PeopleField } from '../../ui/sharing/PeopleField'
import '../../ui/sharing/sharing.css'
import { Section } from './Section'
import { useLoaded } from './useLoaded'

export function Groups() {
  const { admin } = useMe()
  const [groups, reload] = useLoaded(sharing.groups, 'The groups could not be listed')
  const [open, setOpen] = useState<string | null>(null)
  const [renaming, setRenaming] = useState<Group | null>(null)
  const [deleting, setDeleting] = useState<Group | null>(null)
  if (!admin && (groups === undefined || groups.length === 0)) return null
  return (
    <Section title="Groups" lead={admin ? 'What is shared with a group is shared with whoever is in it. Everybody can share with every group.' : 'What is shared with these is shared with you. Administrators change who is in them.'}>
      {admin && <NewGroup onMade={(group) => void reload().then(() => setOpen(group))} />}
      <ul className="account-list" aria-label="Groups">
        {groups?.map((group) => (
          <li key={group.id} className="account-group">
            <div className="account-group-head">
              <button type="button" className="account-group-name" aria-expanded={open === group.id} onClick={() => setOpen(open === group.id ? null : group.id)}>
                {open === group.id ? <ChevronDown size={18} aria-hidden /> : <ChevronRight size={18} aria-hidden />}
                <Users size={20} aria-hidden />
                <span className="account-words">
                  <strong>{group.name}</strong>
                  <span>{group.size === 1 ? '1 person' : `${group.size} people`}</span>
                </span>
              </button>
              {admin && (
                <>
                  <Button small weight="ghost" onClick={() => setRenaming(group)} aria-label={`Rename ${group.name}`}>
                    Rename
                  </Button>
                  <Button small weight="ghost" onClick={() => setDeleting(group)} aria-label={`Delete ${group.name}`}>
                    Delete
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
        title="Rename group"
        label="Name"
        initial={renaming?.name ?? ''}
        submit="Rename"
        onSubmit={async (name) => {
          if (renaming) await sharing.renameGroup(renaming.id, name)
          await reload()
        }}
      />
      <ConfirmDialog
        open={deleting !== null}
        onClose={() => setDeleting(null)}
        danger
        title={`Delete “${deleting?.name ?? ''}”?`}
        description="Whoever can open something only by this group loses it at once."
        confirm="Delete"
        onConfirm={async () => {
          if (deleting) await sharing.deleteGroup(deleting.id).then(reload, (error: unknown) => notifyError('It could not be deleted', error))
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
      notifyError('The group could not be made', error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="account-row" onSubmit={(event) => void create(event)}>
      <TextField label="Name of the new group" value={name} onChange={setName} placeholder="Who is in it" maxLength={100} required />
      <Button type="submit" weight="soft" busy={busy} disabled={name.trim() === ''}>
        Create group
      </Button>
    </form>
  )
}

function Members({ group, admin, onChanged }: { group: Group; admin: boolean; onChanged: () => Promise<void> }) {
  const [found, reload] = useLoaded(() => sharing.group(group.id), 'The members could not be listed')
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
            label={`Add to ${group.name}`}
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
            Add
          </Button>
        </form>
      )}
      <ul className="share-list" aria-label={`Members of ${group.name}`}>
        {found?.members.map((member) => (
          <li key={member.id}>
            <Avatar name={member.name} color={member.color} size={34} decorative />
            <span className="share-person">
              <strong>{member.name}</strong>
              <span>{member.email}</span>
            </span>
            {admin && (
              <IconButton
                label={`Remove ${member.name} from ${group.name}`}
                icon={<X size={16} aria-hidden />}
                onClick={() => void sharing.removeMember(group.id, member.email).then(both, (cause: unknown) => notifyError('It could not be changed', cause))}
              />
            )}
          </li>
        ))}
        {found?.members.length === 0 && <li className="share-none">Nobody yet.</li>}
      </ul>
    </div>
  )
}
