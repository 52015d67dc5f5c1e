/** With whom a notebook is shared, and as what. */
import { Trash2 } from 'lucide-react'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import { api } from '../../api/client'
import type { Grant, GrantRole } from '../../api/types'
import { Avatar, Button, Dialog, IconButton, notifyError, Select, TextField } from '../kit'
import { useDesk, useRoom } from './hooks'

const ROLES: readonly { readonly value: GrantRole; readonly label: string }[] = [
  { value: 'editor', label: 'Editor' },
  { value: 'commenter', label: 'Commenter' },
  { value: 'viewer', label: 'Viewer' },
]

export function ShareDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const name = useRoom((state) => state.name)
  return (
    <Dialog open={open} onClose={onClose} title={`Share “${name}”`} wide actions={<Button weight="primary" onClick={onClose}>Done</Button>}>
      {open && <Sharing />}
    </Dialog>
  )
}

function Sharing() {
  const desk = useDesk()
  const owner = useRoom((state) => state.role === 'owner')
  const [grants, setGrants] = useState<readonly Grant[] | null>(null)
  const load = useCallback(() => api.grants(desk.id).then(setGrants, (cause: unknown) => notifyError('The list of people could not be read', cause)), [desk])
  useEffect(() => void load(), [load])
  const change = (work: Promise<unknown>) => work.then(load, (cause: unknown) => notifyError('The sharing was not changed', cause))
  return (
    <>
      {owner ? <AddPerson add={(email, role) => api.grant(desk.id, email, role).then(load)} /> : <p className="share-note">Only the owner can change with whom it is shared.</p>}
      <h3 className="share-head">People with access</h3>
      <ul className="share-people">
        {(grants ?? []).map((grant) => (
          <li key={grant.email}>
            <Avatar name={grant.name} color="#5b6472" size={34} decorative />
            <div className="share-person">
              <span>{grant.name}</span>
              <span className="share-email">{grant.email}</span>
            </div>
            {grant.role === 'owner' || !owner ? (
              <span className="share-role">{ROLES.find(({ value }) => value === grant.role)?.label ?? 'Owner'}</span>
            ) : (
              <>
                <Select label={`Role of ${grant.name}`} value={grant.role} options={ROLES} onChange={(role) => void change(api.grant(desk.id, grant.email, role))} />
                <IconButton label={`Remove ${grant.name}`} icon={<Trash2 size={16} aria-hidden />} onClick={() => void change(api.withdraw(desk.id, grant.email))} />
              </>
            )}
          </li>
        ))}
      </ul>
      {grants?.length === 0 && <p className="share-note">Nobody else yet.</p>}
    </>
  )
}

function AddPerson({ add }: { add: (email: string, role: GrantRole) => Promise<unknown> }) {
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<GrantRole>('editor')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await add(email.trim(), role)
      setEmail('')
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    }
    setBusy(false)
  }
  return (
    <form className="share-add" onSubmit={(event) => void submit(event)}>
      <TextField label="Add a person by e-mail" type="email" value={email} onChange={setEmail} error={error} placeholder="name@example.org" autoComplete="off" required />
      <Select label="Role" value={role} options={ROLES} onChange={setRole} />
      <Button weight="soft" type="submit" busy={busy} disabled={email.trim() === ''}>
        Add
      </Button>
    </form>
  )
}
