/** The drive: a person's folders, notebooks and files, what is shared with them, and their trash. */
import './drive.css'
import { ChevronRight, Clock, CloudUpload, Compass, FolderOpen, FolderPlus, HardDrive, NotebookPen, Plus, Search, Server, Star, Trash2, Upload, Users } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { msg, t } from '../../i18n'
import { api } from '../../api/client'
import { useMe } from '../../ui/account'
import { placeName } from '../../ui/drive/places'
import { Button, classes, EmptyState, IconButton, later, notifyError, Spinner } from '../../ui/kit'
import { NotFound } from '../../ui/Notice'
import { TopBar } from '../../ui/TopBar'
import { openMade } from '../../ui/notebook/made'
import { FileGrid } from './FileGrid'
import { type Sort, sorted } from './listing'
import { Filters, SearchField, useWanted } from './SearchField'
import { Storage } from './Storage'
import { UploadPanel } from './UploadPanel'
import { uploads } from './uploads'
import { useDrop } from './useDrop'
import { useItemActions } from './useItemActions'
import { useMerging } from './useMerging'
import { type Row, type Shown, TITLES, useListing, type View } from './useListing'

const SECTIONS: readonly { readonly view: View; readonly href: string; readonly label: string; readonly icon: ReactNode }[] = [
  { view: 'mine', href: '/', label: msg('My drive'), icon: <HardDrive size={18} aria-hidden /> },
  { view: 'shared', href: '/drive/shared', label: msg('Shared with me'), icon: <Users size={18} aria-hidden /> },
  { view: 'recent', href: '/drive/recent', label: msg('Recent'), icon: <Clock size={18} aria-hidden /> },
  { view: 'starred', href: '/drive/starred', label: msg('Starred'), icon: <Star size={18} aria-hidden /> },
  { view: 'trash', href: '/drive/trash', label: msg('Trash'), icon: <Trash2 size={18} aria-hidden /> },
]

const AvailableOffline = later(() => import('./AvailableOffline'))
const SessionsDialog = later(() => import('../../ui/resources/SessionsDialog'))

function Sections({ view }: { view: View }) {
  const [sessions, setSessions] = useState<'unasked' | 'open' | 'closed'>('unasked')
  return (
    <nav className="drive-sections" aria-label={t('Sections')}>
      {SECTIONS.map((section) => (
        <Link key={section.view} href={section.href} className="drive-section" aria-current={section.view === view ? 'page' : undefined}>
          {section.icon}
          {t(section.label)}
        </Link>
      ))}
      <button type="button" className="drive-section" onClick={() => setSessions('open')}>
        <Server size={18} aria-hidden />
        {t('Sessions')}
      </button>
      {sessions !== 'unasked' && <SessionsDialog open={sessions === 'open'} onClose={() => setSessions('closed')} />}
    </nav>
  )
}

function addressOf(folder: string): string {
  return folder === 'root' ? '/' : `/drive/${folder}`
}

function Path({ view, listing }: { view: View; listing: Shown | undefined }) {
  const last = view === 'mine' ? (listing ? placeName(listing.folder) : ' ') : t(TITLES[view])
  return (
    <nav aria-label={t('Path')} className="drive-path">
      {view === 'mine' &&
        listing?.folder.path.map((step) => (
          <span key={step.id}>
            <Link href={addressOf(step.id)}>{placeName(step)}</Link>
            <ChevronRight size={18} aria-hidden />
          </span>
        ))}
      <h1 aria-current="page">{last}</h1>
    </nav>
  )
}

function Empty({ view, words, onNew, onTour, onUpload }: { view: View; words: string; onNew: () => void; onTour: () => Promise<void>; onUpload: () => void }) {
  switch (view) {
    case 'recent':
      return <EmptyState icon={<Clock size={36} />} title={t('Nothing opened yet')}>{t('The notebooks and files that you open appear here, also those that you came to by a link.')}</EmptyState>
    case 'starred':
      return <EmptyState icon={<Star size={36} />} title={t('Nothing is starred yet')}>{t('Press the star of a notebook, folder or file to keep it at hand here.')}</EmptyState>
    case 'search':
      return words.trim() === '' ? (
        <EmptyState icon={<Search size={36} />} title={t('Search your drive')}>{t('Names and the text of cells, in everything that is yours, shared with you, or opened by you before.')}</EmptyState>
      ) : (
        <EmptyState icon={<Search size={36} />} title={t('Nothing has “{trim}”', { trim: words.trim() })}>{t('Every word is looked for by its beginning, in names and in cells. What lies in the trash is left out.')}</EmptyState>
      )
    case 'shared':
      return <EmptyState icon={<Users size={36} />} title={t('Nothing is shared with you yet')}>{t('When a colleague shares a notebook with your e-mail address, it appears here.')}</EmptyState>
    case 'trash':
      return <EmptyState icon={<Trash2 size={36} />} title={t('The trash is empty')}>{t('What you move to the trash waits here for 30 days, unless your administrator chose another time. Until then it can be restored.')}</EmptyState>
    case 'mine':
      return (
        <EmptyState
          icon={<FolderOpen size={36} />}
          title={t('A place for your notebooks')}
          actions={
            <>
              <Tour onTour={onTour} />
              <Button weight="soft" icon={<NotebookPen size={16} aria-hidden />} onClick={onNew}>{t('Write a notebook')}</Button>
              <Button icon={<Upload size={16} aria-hidden />} onClick={onUpload}>{t('Choose files')}</Button>
            </>
          }
        >
          {t('Take the tour to see what a notebook does, start your own, or drop .ipynb and data files anywhere on this page.')}
        </EmptyState>
      )
  }
}

function Tour({ onTour }: { onTour: () => Promise<void> }) {
  const [busy, setBusy] = useState(false)
  return <Button weight="primary" icon={<Compass size={16} aria-hidden />} busy={busy} onClick={() => (setBusy(true), void onTour().finally(() => setBusy(false)))}>{t('Take the tour')}</Button>
}

export default function DrivePage({ view, folder }: { view: View; folder: string }) {
  const me = useMe()
  const [, navigate] = useLocation()
  const wanted = useWanted()
  const { listing, stars, error, reload } = useListing(view, folder, wanted)
  const [sort, setSort] = useState<Sort>({ by: 'name', descending: false })
  const [making, setMaking] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  const here = folder === 'root' ? null : folder
  const actions = useItemActions({ view, stars, reload })
  const mine = view === 'mine' && error === undefined
  const merging = useMerging()
  // From a list of what lies in many places it goes to one's own drive.
  const upload = (files: readonly File[]) => (view === 'mine' ? merging.upload(files, folder, listing?.items ?? []) : merging.upload(files, 'root', []))
  const over = useDrop(mine ? upload : null)

  useEffect(() => {
    uploads.onArrived = reload
  }, [reload])
  useEffect(() => {
    document.title = `${view === 'mine' ? (listing ? placeName(listing.folder) : t(TITLES.mine)) : t(TITLES[view])} – Collegium`
  }, [view, listing])

  const create = async () => {
    setMaking(true)
    try {
      openMade(await api.createNotebook(null, here))
    } catch (cause) {
      notifyError(t('The notebook could not be made'), cause)
      setMaking(false)
    }
  }

  const tour = async () => {
    try {
      const { takeTour } = await import('../../examples/welcome')
      const { id } = await takeTour(folder)
      navigate(`/notebooks/${id}`)
    } catch (cause) {
      notifyError(t('The tour could not be opened'), cause)
    }
  }

  if (error?.status === 404) return <NotFound />
  const ordered = view === 'recent' || view === 'starred' || view === 'search'
  const items: readonly Row[] = listing === undefined ? [] : ordered ? listing.items : sorted(listing.items, sort)
  return (
    <div className="drive">
      <TopBar>
        <SearchField searching={view === 'search'} wanted={wanted} />
      </TopBar>
      <aside className="drive-side">
        {/* With the side column folded away, the same buttons serve from the top of the page. */}
        <Button weight="primary" className="drive-new" icon={<Plus size={18} aria-hidden />} busy={making} onClick={() => void create()}>{t('New notebook')}</Button>
        <Button className="drive-upload" icon={<Upload size={16} aria-hidden />} onClick={() => picker.current?.click()}>{t('Upload')}</Button>
        <Sections view={view} />
        <Storage seen={listing} />
      </aside>
      <main className="drive-main">
        <div className="drive-head">
          <Path view={view} listing={listing} />
          {mine && <IconButton label={t('New folder')} icon={<FolderPlus size={20} aria-hidden />} onClick={() => actions.newFolder(here)} />}
          {view === 'trash' && items.length > 0 && <Button small className="drive-empty-trash" onClick={() => actions.emptyTrash(items.length)}>{t('Empty trash')}</Button>}
        </div>
        {view === 'search' && <Filters wanted={wanted} />}
        <Content>
          {error?.code === 'offline' && <AvailableOffline retry={reload} />}
          {error !== undefined && error.code !== 'offline' && <EmptyState icon={<CloudUpload size={36} />} title={t('This could not be loaded')} actions={<Button onClick={reload}>{t('Try again')}</Button>}>{error.message}</EmptyState>}
          {error === undefined && listing === undefined && <div className="drive-loading"><Spinner large label={t('Loading')} /></div>}
          {listing !== undefined && items.length === 0 && <Empty view={view} words={wanted.words} onNew={() => void create()} onTour={tour} onUpload={() => picker.current?.click()} />}
          {items.length > 0 && <FileGrid key={`${view} ${folder}`} items={items} sort={ordered ? null : sort} onSort={setSort} stars={stars} onStar={actions.star} times={view === 'recent' ? 'Opened' : view === 'trash' ? 'In the trash since' : 'Modified'} menu={actions.menu} onRename={actions.rename} onDelete={actions.remove} inert={view === 'trash'} me={me.id} />}
        </Content>
      </main>
      {merging.question}
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label={t('Files to upload')}
        onChange={(event) => {
          upload([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
      <div className={classes('drop-overlay', over && 'drop-overlay-on')} aria-hidden={!over}>
        <CloudUpload size={48} aria-hidden />
        <strong>{t('Drop to upload')}</strong>
        <span>{t('to {folder}', { folder: listing ? placeName(listing.folder) : t('your drive') })}</span>
      </div>
      <UploadPanel />
      {actions.dialogs}
    </div>
  )
}

function Content({ children }: { children: ReactNode }) {
  return <div className="drive-content">{children}</div>
}
