/** Who else may open an item, and as what. */
import { X } from 'lucide-react'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import { api } from '../api/client'
import type { Grant, GrantRole } from '../api/types'
import { Avatar, Button, Dialog, IconButton, notifyError, Select, Spinner, TextField } from './kit'

const ROLES: readonly { readonly value: GrantRole; readonly label: string }[] = [
  { value: 'viewer', label: 'Viewer' },
  { value: 'commenter', label: 'Commenter' },
  { value: 'editor', label: 'Editor' },
]

export interface ShareDialogProps {
  readonly item: { readonly id: string; readonly name: string } | null
  /** The person may change who else may open it. */
  readonly changeable: boolean
  readonly onClose: () => void
}

export function ShareDialog({ item, changeable, onClose }: ShareDialogProps) {
  return (
    <Dialog open={item !== null} onClose={onClose} title={`Share “${item?.name ?? ''}”`} wide>
      {item !== null && <Sharing item={item.id} changeable={changeable} />}
    </Dialog>
  )
}

function Sharing({ item, changeable }: { item: string; changeable: boolean }) {
  const [grants, setGrants] = useState<readonly Grant[]>()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<GrantRole>('editor')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const load = useCallback(() => api.grants(item).then(setGrants), [item])
  useEffect(() => {
    load().catch((cause: unknown) => setError(cause instanceof Error ? cause.message : String(cause)))
  }, [load])

  const add = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await api.grant(item, email.trim(), role)
      setEmail('')
      await load()
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    } finally {
      setBusy(false)
    }
  }
  const change = (work: Promise<unknown>) => void work.then(load).catch((cause: unknown) => notifyError('Sharing was not changed', cause))

  return (
    <>
      {changeable ? (
        <form className="share-form" onSubmit={(event) => void add(event)}>
          <TextField label="Add by e-mail" type="email" value={email} onChange={setEmail} placeholder="colleague@example.org" error={error} autoComplete="off" required />
          <Select label="Role" value={role} options={ROLES} onChange={setRole} />
          <Button weight="primary" type="submit" busy={busy} disabled={email.trim() === ''}>
            Add
          </Button>
        </form>
      ) : (
        <p className="share-none">Only the owner can change with whom it is shared.</p>
      )}
      <h3 className="share-heading">People with access</h3>
      <ul className="share-list">
        {grants === undefined && error === undefined && <li><Spinner label="Loading" /></li>}
        {grants?.map((grant) => (
          <li key={grant.email}>
            <Avatar name={grant.name || grant.email} color="#5b6472" size={34} decorative />
            <div className="share-person">
              <strong>{grant.name}</strong>
              <span>{grant.email}</span>
            </div>
            {!changeable || grant.role === 'owner' || grant.inherited ? (
              <span className="share-owner">{described(grant)}</span>
            ) : (
              <>
                <Select label={`Role of ${grant.name || grant.email}`} value={grant.role} options={ROLES} onChange={(next) => change(api.grant(item, grant.email, next))} />
                <IconButton label={`Remove ${grant.name || grant.email}`} icon={<X size={16} aria-hidden />} onClick={() => change(api.withdraw(item, grant.email))} />
              </>
            )}
          </li>
        ))}
        {grants?.length === 0 && <li className="share-none">Only you. Add a colleague to write in it together.</li>}
      </ul>
    </>
  )
}

function described({ role, inherited }: Grant): string {
  const label = role === 'owner' ? 'Owner' : ROLES.find(({ value }) => value === role)?.label
  return inherited ? `${label}, by the folder it is in` : `${label}`
}
