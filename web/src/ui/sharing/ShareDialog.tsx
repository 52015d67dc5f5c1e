/** Who else may open an item, and as what. */
import '../sharing/sharing.css'
import { Check, Link2 } from 'lucide-react'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import { t } from '../../i18n'
import { type Sharing, sharing } from '../../api/sharing'
import type { GrantRole } from '../../api/types'
import { useMe } from '../account'
import { Button, Dialog, notify, notifyError, Select, Spinner } from '../kit'
import { AccessList } from './AccessList'
import { GeneralAccess } from './GeneralAccess'
import { type Choice, PeopleField } from './PeopleField'
import { TransferForm } from './TransferForm'
import { roles } from './words'

export interface SharedItem {
  readonly id: string
  readonly name: string
  readonly kind: 'notebook' | 'folder' | 'file'
}

export default function ShareDialog({ item, onClose }: { item: SharedItem | null; onClose: () => void }) {
  const [giving, setGiving] = useState(false)
  const close = () => {
    setGiving(false)
    onClose()
  }
  return (
    <Dialog open={item !== null} onClose={close} title={giving ? t('Transfer ownership') : t('Share “{value}”', { value: item?.name ?? '' })} wide>
      {item !== null && <Shared item={item} giving={giving} setGiving={setGiving} onClose={close} />}
    </Dialog>
  )
}

function Shared({ item, giving, setGiving, onClose }: { item: SharedItem; giving: boolean; setGiving: (giving: boolean) => void; onClose: () => void }) {
  const me = useMe()
  const [shared, setShared] = useState<Sharing>()
  const [error, setError] = useState<string>()
  const load = useCallback(() => sharing.of(item.id).then(setShared), [item.id])
  useEffect(() => {
    load().catch((cause: unknown) => setError(cause instanceof Error ? cause.message : String(cause)))
  }, [load])
  const change = (work: Promise<unknown>) => void work.then(load).catch((cause: unknown) => notifyError(t('Sharing was not changed'), cause))

  if (error !== undefined) return <p className="share-none">{error}</p>
  if (shared === undefined) return <Spinner label={t('Loading')} />
  if (giving) {
    const done = (to: string) => {
      setGiving(false)
      notify({ title: t('{to} is the owner now', { to }), detail: t('You are an editor of it.'), kind: 'good' })
      void load()
    }
    return <TransferForm item={item.id} name={item.name} shared={shared} onDone={done} onBack={() => setGiving(false)} />
  }
  const owner = shared.role === 'owner'
  return (
    <>
      {owner ? <AddForm item={item.id} load={load} /> : <p className="share-none">{shared.complete ? t('Only the owner can change with whom it is shared.') : t('You see the owner and yourself. Who may edit sees everybody.')}</p>}
      <h3 className="share-heading">{t('People with access')}</h3>
      <AccessList item={item.id} shared={shared} me={me.id} change={change} />
      <GeneralAccess item={item.id} shared={shared} change={change} />
      <div className="dialog-actions share-actions">
        <CopyLink item={item} />
        {owner && (
          <Button weight="ghost" onClick={() => setGiving(true)}>
            {t('Transfer ownership…')}
          </Button>
        )}
        <Button weight="primary" onClick={onClose}>
          {t('Done')}
        </Button>
      </div>
    </>
  )
}

function AddForm({ item, load }: { item: string; load: () => Promise<void> }) {
  const [text, setText] = useState('')
  const [choice, setChoice] = useState<Choice | null>(null)
  const [role, setRole] = useState<GrantRole>('editor')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const [given, setGiven] = useState(0)
  const add = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const whom = choice?.kind === 'group' ? { group: choice.group.id } : { email: choice?.person.email ?? text.trim() }
      await sharing.give(item, whom, role, null)
      setText('')
      setChoice(null)
      setGiven((count) => count + 1)
      await load()
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="share-form" onSubmit={(event) => void add(event)}>
      <PeopleField
        // A new one, with the focus, for the next person.
        key={given}
        autoFocus
        label={t('Add people and groups')}
        text={text}
        error={error}
        onChange={(next, chosen) => {
          setText(next)
          setChoice(chosen)
          setError(undefined)
        }}
      />
      <Select label={t('Role')} value={role} options={roles()} onChange={setRole} />
      <Button weight="primary" type="submit" busy={busy} disabled={text.trim() === ''}>
        {t('Add')}
      </Button>
    </form>
  )
}

const PLACES = { notebook: '/notebooks/', folder: '/drive/', file: '/api/v1/drive/files/' } as const
const COPIED_MS = 3000

function CopyLink({ item }: { item: SharedItem }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), COPIED_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const address = `${location.origin}${PLACES[item.kind]}${encodeURIComponent(item.id)}${item.kind === 'file' ? '/content' : ''}`
  const copy = () => navigator.clipboard.writeText(address).then(() => setCopied(true), (cause: unknown) => notifyError(t('It could not be copied: {address}', { address }), cause))
  return (
    <Button weight="outline" className="share-copy" icon={copied ? <Check size={16} aria-hidden /> : <Link2 size={16} aria-hidden />} onClick={() => void copy()}>
      {copied ? t('Link copied') : t('Copy link')}
    </Button>
  )
}
