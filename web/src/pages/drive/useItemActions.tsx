/** What can be done to an item, as menu entries, and the dialogs that ask before or after. */
import { ArchiveRestore, Copy, Download, ExternalLink, FlaskConical, FolderInput, Info, Pencil, Star, StarOff, Trash2, UserPlus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { t, tn } from '../../i18n'
import { api, downloadAddress } from '../../api/client'
import { drive } from '../../api/drive'
import type { Item } from '../../api/types'
import { ConfirmDialog, later, type MenuEntry, NameDialog, notify, notifyError } from '../../ui/kit'
import { allowed, pageOf } from './listing'
import MoveDialog from '../../ui/drive/MoveDialog'
import type { View } from './useListing'

const ShareDialog = later(() => import('../../ui/sharing/ShareDialog'))
const DetailsDialog = later(() => import('./DetailsDialog'))

type What = 'rename' | 'move' | 'share' | 'delete' | 'details'
type Asking =
  | { readonly what: What; readonly item: Item }
  | { readonly what: 'empty'; readonly count: number }
  | { readonly what: 'folder'; readonly parent: string | null }
  | null

export interface ItemActions {
  readonly menu: (item: Item) => readonly MenuEntry[]
  readonly rename: (item: Item) => void
  readonly remove: (item: Item) => void
  readonly star: (item: Item, on: boolean) => void
  readonly newFolder: (parent: string | null) => void
  readonly emptyTrash: (count: number) => void
  readonly dialogs: ReactNode
}

const icon = { size: 16, 'aria-hidden': true } as const

export function useItemActions({ view, stars, reload }: { view: View; stars: ReadonlySet<string>; reload: () => void }): ItemActions {
  const [asking, setAsking] = useState<Asking>(null)
  const [sharing, setSharing] = useState(false)
  const [detailed, setDetailed] = useState(false)
  const share = (item: Item) => {
    setSharing(true)
    setAsking({ what: 'share', item })
  }
  const [, navigate] = useLocation()
  const close = () => setAsking(null)
  const asked = (what: What) => (asking?.what === what ? asking.item : null)

  const restore = (item: Item) =>
    void api.restore(item.id).then(
      () => {
        notify({ title: t('“{name}” restored', { name: item.name }), kind: 'good' })
        reload()
      },
      (error: unknown) => notifyError(t('It could not be restored'), error),
    )
  const trash = (item: Item) =>
    void api.trash(item.id).then(
      () => {
        notify({ title: t('“{name}” moved to the trash', { name: item.name }), action: { label: t('Undo'), run: () => restore(item) } })
        reload()
      },
      (error: unknown) => notifyError(t('It could not be moved to the trash'), error),
    )
  const star = (item: Item, on: boolean) =>
    void drive.star(item.id, on).then(reload, (error: unknown) => notifyError(on ? t('It could not be starred') : t('The star could not be removed'), error))
  const copy = (item: Item) =>
    void drive.copy(item.id).then(
      (made) => {
        const page = pageOf(made)
        notify({ title: t('“{name}” made', { name: made.name }), kind: 'good', ...(page !== null && { action: { label: t('Open'), run: () => navigate(page) } }) })
        reload()
      },
      (error: unknown) => notifyError(t('It could not be copied'), error),
    )
  const playground = (item: Item) =>
    void drive.playground(item.id).then(({ url }) => navigate(url), (error: unknown) => notifyError(t('No playground could be opened'), error))
  const details = (item: Item) => {
    setDetailed(true)
    setAsking({ what: 'details', item })
  }
  const rename = (item: Item) => view !== 'trash' && allowed(item).rename && setAsking({ what: 'rename', item })
  const remove = (item: Item) => {
    if (view === 'trash') setAsking({ what: 'delete', item })
    else if (allowed(item).move) trash(item)
  }

  const menu = (item: Item): readonly MenuEntry[] => {
    if (view === 'trash')
      return [
        { label: t('Restore'), icon: <ArchiveRestore {...icon} />, onSelect: () => restore(item) },
        { label: t('Details'), icon: <Info {...icon} />, onSelect: () => details(item) },
        'separator',
        { label: t('Delete forever'), icon: <Trash2 {...icon} />, danger: true, onSelect: () => remove(item) },
      ]
    const may = allowed(item)
    const page = pageOf(item)
    const file = downloadAddress(item)
    return [
      ...(page === null ? [] : [{ label: t('Open'), icon: <ExternalLink {...icon} />, onSelect: () => navigate(page) }]),
      ...(item.kind === 'notebook' ? [{ label: t('Open in playground'), icon: <FlaskConical {...icon} />, onSelect: () => playground(item) }] : []),
      ...(file === null ? [] : [{ label: t('Download'), icon: <Download {...icon} />, onSelect: () => fetchFile(file, item.name) }]),
      'separator',
      { label: t('Share'), icon: <UserPlus {...icon} />, disabled: !may.share, onSelect: () => share(item) },
      { label: t('Rename'), icon: <Pencil {...icon} />, shortcut: 'F2', disabled: !may.rename, onSelect: () => rename(item) },
      { label: t('Move'), icon: <FolderInput {...icon} />, disabled: !may.move, onSelect: () => setAsking({ what: 'move', item }) },
      { label: t('Make a copy'), icon: <Copy {...icon} />, onSelect: () => copy(item) },
      stars.has(item.id) ? { label: t('Remove the star'), icon: <StarOff {...icon} />, onSelect: () => star(item, false) } : { label: t('Star'), icon: <Star {...icon} />, onSelect: () => star(item, true) },
      { label: t('Details'), icon: <Info {...icon} />, onSelect: () => details(item) },
      'separator',
      { label: t('Move to trash'), icon: <Trash2 {...icon} />, shortcut: 'Del', disabled: !may.move, onSelect: () => trash(item) },
    ]
  }

  const dialogs = (
    <>
      <NameDialog
        open={asking?.what === 'rename'}
        onClose={close}
        title={t('Rename')}
        label={t('Name')}
        initial={asked('rename')?.name ?? ''}
        submit={t('Rename')}
        onSubmit={async (name) => {
          const item = asked('rename')
          if (item) await api.rename(item.id, name)
          reload()
        }}
      />
      <NameDialog
        open={asking?.what === 'folder'}
        onClose={close}
        title={t('New folder')}
        label={t('Name')}
        initial={t('Untitled folder')}
        submit={t('Create')}
        onSubmit={async (name) => {
          await api.createFolder(name, asking?.what === 'folder' ? asking.parent : null)
          reload()
        }}
      />
      <MoveDialog item={asked('move')} onClose={close} onMoved={reload} />
      {sharing && <ShareDialog item={asked('share')} onClose={close} />}
      {detailed && <DetailsDialog item={asked('details')} onClose={close} />}
      <ConfirmDialog
        open={asking?.what === 'empty'}
        onClose={close}
        danger
        title={t('Empty the trash?')}
        description={tn('One item is deleted forever, with everything in it. This cannot be undone.', '{count} items are deleted forever, with everything in them. This cannot be undone.', asking?.what === 'empty' ? asking.count : 0)}
        confirm={t('Empty trash')}
        onConfirm={() =>
          drive.emptyTrash().then(
            ({ deleted }) => {
              notify({ title: tn('One item deleted forever', '{count} items deleted forever', deleted) })
              reload()
            },
            (error: unknown) => notifyError(t('The trash could not be emptied'), error),
          )
        }
      />
      <ConfirmDialog
        open={asking?.what === 'delete'}
        onClose={close}
        danger
        title={t('Delete “{value}” forever?', { value: asked('delete')?.name ?? '' })}
        description={t('It cannot be brought back, and nobody it is shared with can open it any more.')}
        confirm={t('Delete forever')}
        onConfirm={async () => {
          const item = asked('delete')
          if (item)
            await api.deleteForever(item.id).then(reload, (error: unknown) => notifyError(t('It could not be deleted'), error))
        }}
      />
    </>
  )
  return { menu, rename: (item) => void rename(item), remove, star, newFolder: (parent) => setAsking({ what: 'folder', parent }), emptyTrash: (count) => setAsking({ what: 'empty', count }), dialogs }
}

function fetchFile(address: string, name: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
}
