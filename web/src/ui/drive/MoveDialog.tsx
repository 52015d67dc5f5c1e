/** Choosing the folder an item moves to, walking down from the drive's root. */
import { ChevronRight, Folder } from 'lucide-react'
import './move.css'
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { api } from '../../api/client'
import type { Item, Listing } from '../../api/types'
import { Button, Dialog, notify, notifyError, Spinner } from '../kit'
import { placeName } from './places'

export default function MoveDialog({ item, onClose, onMoved }: { item: Item | null; onClose: () => void; onMoved: () => void }) {
  return (
    <Dialog open={item !== null} onClose={onClose} title={t('Move “{name}”', { name: item?.name ?? '' })}>
      {item !== null && <Picker item={item} onClose={onClose} onMoved={onMoved} />}
    </Dialog>
  )
}

function Picker({ item, onClose, onMoved }: { item: Item; onClose: () => void; onMoved: () => void }) {
  const [folder, setFolder] = useState('root')
  const [listing, setListing] = useState<Listing>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    let current = true
    setListing(undefined)
    api.list(folder).then(
      (next) => current && setListing(next),
      (error: unknown) => notifyError(t('This folder could not be opened'), error),
    )
    return () => {
      current = false
    }
  }, [folder])

  const move = async () => {
    if (listing === undefined) return
    setBusy(true)
    try {
      await api.move(item.id, listing.folder.id)
      notify({ title: t('Moved to {name}', { name: placeName(listing.folder) }), kind: 'good' })
      onMoved()
      onClose()
    } catch (error) {
      notifyError(t('It could not be moved'), error)
      setBusy(false)
    }
  }
  const folders = listing?.items.filter((one) => one.kind === 'folder' && one.id !== item.id) ?? []
  const here = listing?.folder.id === item.parent || (folder === 'root' && item.parent === null)
  return (
    <>
      <nav aria-label={t('Path')} className="move-path">
        {(listing?.folder.path ?? []).map((step) => (
          <button key={step.id} type="button" onClick={() => setFolder(step.id)}>
            {placeName(step)}
            <ChevronRight size={14} aria-hidden />
          </button>
        ))}
        <strong>{listing && placeName(listing.folder)}</strong>
      </nav>
      <ul className="move-list" aria-label={t('Folders')}>
        {listing === undefined && <li className="move-empty"><Spinner label={t('Loading')} /></li>}
        {listing !== undefined && folders.length === 0 && <li className="move-empty">{t('No folders inside.')}</li>}
        {folders.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => setFolder(one.id)}>
              <Folder size={18} aria-hidden />
              <span>{one.name}</span>
              <ChevronRight size={16} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <div className="dialog-actions">
        <Button weight="ghost" onClick={onClose}>{t('Cancel')}</Button>
        <Button weight="primary" busy={busy} disabled={listing === undefined || here} onClick={() => void move()}>
          {here ? t('It is here') : t('Move here')}
        </Button>
      </div>
    </>
  )
}

/** The top has a name in each language. */
