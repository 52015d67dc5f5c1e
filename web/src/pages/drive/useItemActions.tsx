/** What can be done to an item, as menu entries, and the dialogs that ask before or after. */
import { ArchiveRestore, Download, ExternalLink, FolderInput, Pencil, Trash2, UserPlus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { api, downloadAddress } from '../../api/client'
import type { Item } from '../../api/types'
import { ConfirmDialog, type MenuEntry, NameDialog, notify, notifyError } from '../../ui/kit'
import { ShareDialog } from '../../ui/ShareDialog'
import { allowed, pageOf } from './listing'
import { MoveDialog } from './MoveDialog'
import type { View } from './useListing'

type Asking =
  | { readonly what: 'rename' | 'move' | 'share' | 'delete'; readonly item: Item }
  | { readonly what: 'folder'; readonly parent: string | null }
  | null

export interface ItemActions {
  readonly menu: (item: Item) => readonly MenuEntry[]
  readonly rename: (item: Item) => void
  readonly remove: (item: Item) => void
  readonly newFolder: (parent: string | null) => void
  readonly dialogs: ReactNode
}

const icon = { size: 16, 'aria-hidden': true } as const

export function useItemActions({ view, reload }: { view: View; reload: () => void }): ItemActions {
  const [asking, setAsking] = useState<Asking>(null)
  const [, navigate] = useLocation()
  const close = () => setAsking(null)
  const asked = (what: 'rename' | 'move' | 'share' | 'delete') => (asking?.what === what ? asking.item : null)

  const restore = (item: Item) =>
    void api.restore(item.id).then(
      () => {
        notify({ title: `“${item.name}” restored`, kind: 'good' })
        reload()
      },
      (error: unknown) => notifyError('It could not be restored', error),
    )
  const trash = (item: Item) =>
    void api.trash(item.id).then(
      () => {
        notify({ title: `“${item.name}” moved to the trash`, action: { label: 'Undo', run: () => restore(item) } })
        reload()
      },
      (error: unknown) => notifyError('It could not be moved to the trash', error),
    )
  const rename = (item: Item) => view !== 'trash' && allowed(item).rename && setAsking({ what: 'rename', item })
  const remove = (item: Item) => {
    if (view === 'trash') setAsking({ what: 'delete', item })
    else if (allowed(item).move) trash(item)
  }

  const menu = (item: Item): readonly MenuEntry[] => {
    if (view === 'trash')
      return [
        { label: 'Restore', icon: <ArchiveRestore {...icon} />, onSelect: () => restore(item) },
        'separator',
        { label: 'Delete forever', icon: <Trash2 {...icon} />, danger: true, onSelect: () => remove(item) },
      ]
    const may = allowed(item)
    const page = pageOf(item)
    const file = downloadAddress(item)
    return [
      ...(page === null ? [] : [{ label: 'Open', icon: <ExternalLink {...icon} />, onSelect: () => navigate(page) }]),
      ...(file === null ? [] : [{ label: 'Download', icon: <Download {...icon} />, onSelect: () => fetchFile(file, item.name) }]),
      'separator',
      { label: 'Share', icon: <UserPlus {...icon} />, disabled: !may.share, onSelect: () => setAsking({ what: 'share', item }) },
      { label: 'Rename', icon: <Pencil {...icon} />, shortcut: 'F2', disabled: !may.rename, onSelect: () => rename(item) },
      { label: 'Move', icon: <FolderInput {...icon} />, disabled: !may.move, onSelect: () => setAsking({ what: 'move', item }) },
      'separator',
      { label: 'Move to trash', icon: <Trash2 {...icon} />, shortcut: 'Del', disabled: !may.move, onSelect: () => trash(item) },
    ]
  }

  const dialogs = (
    <>
      <NameDialog
        open={asking?.what === 'rename'}
        onClose={close}
        title="Rename"
        label="Name"
        initial={asked('rename')?.name ?? ''}
        submit="Rename"
        onSubmit={async (name) => {
          const item = asked('rename')
          if (item) await api.rename(item.id, name)
          reload()
        }}
      />
      <NameDialog
        open={asking?.what === 'folder'}
        onClose={close}
        title="New folder"
        label="Name"
        initial="Untitled folder"
        submit="Create"
        onSubmit={async (name) => {
          await api.createFolder(name, asking?.what === 'folder' ? asking.parent : null)
          reload()
        }}
      />
      <MoveDialog item={asked('move')} onClose={close} onMoved={reload} />
      <ShareDialog item={asked('share')} changeable onClose={close} />
      <ConfirmDialog
        open={asking?.what === 'delete'}
        onClose={close}
        danger
        title={`Delete “${asked('delete')?.name ?? ''}” forever?`}
        description="It cannot be brought back, and nobody it is shared with can open it any more."
        confirm="Delete forever"
        onConfirm={async () => {
          const item = asked('delete')
          if (item)
            await api.deleteForever(item.id).then(reload, (error: unknown) => notifyError('It could not be deleted', error))
        }}
      />
    </>
  )
  return { menu, rename: (item) => void rename(item), remove, newFolder: (parent) => setAsking({ what: 'folder', parent }), dialogs }
}

function fetchFile(address: string, name: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
}
