/** The files of the runtime, at the left of the cells. */
import { ClipboardCopy, CornerLeftUp, Download, Eye, EyeOff, FilePlus, FileSymlink, FolderOpen, FolderPlus, FolderUp, HardDrive, Info, Pencil, RefreshCw, Trash2, Upload, X } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { ApiError } from '../../api/client'
import { contentAddress, inside, type RuntimeId } from '../../api/inside'
import { share, sizeText } from '../../model/usage'
import { useArrival } from '../arrival'
import { ConfirmDialog, IconButton, type MenuEntry, notify, notifyError } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import { useChrome, useDesk } from '../notebook/hooks'
import { Ports } from '../ports/Ports'
import { chosen, droppedIn } from './dropped'
import { FileTree, type Naming } from './FileTree'
import './files.css'
import { listen, tell } from './news'
import { NotConnected } from './NotConnected'
import { HOME, joined, nameOf, parentOf, shown } from './paths'
import { open, Transfers } from './transfer'
import { TransferList } from './TransferList'
import { opens, Tree } from './tree'
import { useReadyRuntime } from './useRuntime'
import { useUploads } from './useUploads'

const WIDTH = { first: 288, min: 220, max: 640 } as const
/** Below this the panel lies over the cells, as wide as the styles say. */
const NARROW = 900

export default function FilesPanel() {
  const desk = useDesk()
  const shown_ = useChrome((chrome) => chrome.side === 'files')
  const close = () => desk.chrome.setState({ side: null })
  const panel = useArrival(shown_, close)
  const runtime = useReadyRuntime()
  const [width, setWidth] = useKeptSize('files', WIDTH.first)
  const window_ = useWindowSize()
  const wide = window_.width > NARROW
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-left files" aria-label={t('Files')} data-keys="own" hidden={!shown_} style={wide ? { width: Math.min(width, WIDTH.max) } : undefined}>
      <div className="panel-head">
        <h2>{t('Files')}</h2>
        <IconButton label={t('Close files')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      {runtime === null ? (
        <NotConnected icon={<FolderOpen size={36} aria-hidden />}>{t('Connect to a runtime to see its files.')}</NotConnected>
      ) : (
        <RuntimeFiles key={runtime} runtime={runtime} visible={shown_} />
      )}
      {wide && <Splitter label={t('Width of the files panel')} edge="right" size={width} min={WIDTH.min} max={WIDTH.max} onSize={setWidth} />}
    </aside>
  )
}

const icon = { size: 16, 'aria-hidden': true } as const

function RuntimeFiles({ runtime, visible }: { runtime: RuntimeId; visible: boolean }) {
  const desk = useDesk()
  const tree = useMemo(() => new Tree((path) => inside.list(runtime, path)), [runtime])
  const transfers = useMemo(
    () =>
      new Transfers(
        (path, mark) => ({
          send: (offset, total, piece, signal) => inside.send(runtime, path, mark, offset, total, piece, signal),
          received: (signal) => inside.received(runtime, path, mark, signal),
        }),
        (path) => {
          void tree.load(parentOf(path))
          tell(desk, { what: 'written', path })
        },
      ),
    [runtime, tree, desk],
  )
  const root = useStore(tree.state, (state) => state.root)
  const dotted = useStore(tree.state, (state) => state.dotted)
  const [naming, setNaming] = useState<Naming | null>(null)
  const [removing, setRemoving] = useState<string | null>(null)
  const { upload, dialog } = useUploads(runtime, transfers, () => void tree.refresh())
  const picker = useRef<HTMLInputElement>(null)
  const folderPicker = useRef<HTMLInputElement>(null)
  const pickedFor = useRef(HOME)

  useRefresh(tree, visible)
  useEffect(() => {
    const leaving = (event: BeforeUnloadEvent) => transfers.snapshot().some(open) && event.preventDefault()
    addEventListener('beforeunload', leaving)
    return () => removeEventListener('beforeunload', leaving)
  }, [transfers])
  useEffect(() => () => transfers.close(), [transfers])

  const folderOf = (path: string | null): string => {
    if (path === null) return root
    const entry = tree.entry(path)
    return entry && opens(entry) ? path : parentOf(path)
  }
  /** Where the toolbar's buttons work: the folder that was last chosen. */
  const here = () => {
    const { focused, open } = tree.state.getState()
    return focused !== null && tree.entry(focused) && (open.has(focused) || !opens(tree.entry(focused)!)) ? folderOf(focused) : root
  }
  const pick = (input: HTMLInputElement | null, folder: string) => {
    pickedFor.current = folder
    input?.click()
  }
  const make = async (folder: string, what: 'file' | 'directory') => {
    if (folder !== root && !tree.state.getState().open.has(folder)) await tree.expand(folder)
    setNaming({ what, folder })
  }
  const show = (path: string) => desk.chrome.setState({ file: path })
  const openPath = async (path: string) => {
    if (tree.entry(path)?.kind === 'link' && (await isFolder(runtime, path))) return tree.expand(path)
    show(path)
  }
  const move = async (from: string, to: string): Promise<boolean> => {
    try {
      await inside.move(runtime, from, to)
    } catch (error) {
      notifyError(parentOf(from) === parentOf(to) ? t('“{shown}” could not be renamed', { shown: shown(nameOf(from)) }) : t('“{shown}” could not be moved', { shown: shown(nameOf(from)) }), error)
      return false
    }
    tree.moved(from, to)
    tell(desk, { what: 'moved', from, to })
    await Promise.all([tree.load(parentOf(from)), tree.load(parentOf(to))])
    return true
  }
  const named = async (what: Naming, name: string): Promise<boolean> => {
    // What a person names is not hidden from them.
    if (name.startsWith('.')) tree.showDotted(true)
    if (what.what === 'rename') {
      const to = joined(parentOf(what.path), name)
      if (!(await move(what.path, to))) return false
      setNaming(null)
      focus(to)
      return true
    }
    const path = joined(what.folder, name)
    try {
      await inside.make(runtime, path, what.what)
    } catch (error) {
      notifyError(t('“{shown}” could not be made', { shown: shown(name) }), error)
      return false
    }
    await tree.load(what.folder)
    setNaming(null)
    focus(path)
    if (what.what === 'file') show(path)
    return true
  }
  const focus = (path: string) => {
    tree.focus(path)
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`.files [data-path="${CSS.escape(path)}"]`)?.focus())
  }
  const remove = async (path: string) => {
    try {
      await inside.remove(runtime, path)
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) return notifyError(t('“{shown}” could not be deleted', { shown: shown(nameOf(path)) }), error)
    }
    tree.removed(path)
    tell(desk, { what: 'removed', path })
    await tree.load(parentOf(path))
  }

  const menu = (path: string | null): readonly MenuEntry[] => {
    const entry = path === null ? undefined : tree.entry(path)
    const folder = folderOf(path)
    const makers: readonly MenuEntry[] = [
      { label: t('New file'), icon: <FilePlus {...icon} />, onSelect: () => void make(folder, 'file') },
      { label: t('New folder'), icon: <FolderPlus {...icon} />, onSelect: () => void make(folder, 'directory') },
      { label: t('Upload files'), icon: <Upload {...icon} />, onSelect: () => pick(picker.current, folder) },
      { label: t('Upload a folder'), icon: <FolderUp {...icon} />, onSelect: () => pick(folderPicker.current, folder) },
    ]
    if (path === null || entry === undefined) return [...makers, 'separator', { label: t('Refresh'), icon: <RefreshCw {...icon} />, onSelect: () => void tree.refresh() }]
    return [
      ...(opens(entry)
        ? makers
        : [
            { label: t('Open'), icon: <FileSymlink {...icon} />, onSelect: () => void openPath(path) },
            { label: t('Download'), icon: <Download {...icon} />, onSelect: () => download(runtime, path) },
          ]),
      'separator',
      { label: t('Copy path'), icon: <ClipboardCopy {...icon} />, onSelect: () => void copyPath(path) },
      { label: t('Rename'), icon: <Pencil {...icon} />, shortcut: 'F2', onSelect: () => setNaming({ what: 'rename', path }) },
      'separator',
      { label: t('Delete'), icon: <Trash2 {...icon} />, shortcut: 'Del', danger: true, onSelect: () => setRemoving(path) },
    ]
  }
  const removed = removing === null ? undefined : tree.entry(removing)

  return (
    <>
      <div className="files-tools" role="toolbar" aria-label={t('Files')}>
        <IconButton label={t('Upload')} icon={<Upload size={18} aria-hidden />} onClick={() => pick(picker.current, here())} />
        <IconButton label={t('Refresh')} icon={<RefreshCw size={18} aria-hidden />} onClick={() => void tree.refresh()} />
        <IconButton label={t('New file')} icon={<FilePlus size={18} aria-hidden />} onClick={() => void make(here(), 'file')} />
        <IconButton label={t('New folder')} icon={<FolderPlus size={18} aria-hidden />} onClick={() => void make(here(), 'directory')} />
        <IconButton label={t('Hidden files')} pressed={dotted} icon={dotted ? <Eye size={18} aria-hidden /> : <EyeOff size={18} aria-hidden />} onClick={() => tree.showDotted(!dotted)} />
        <span className="grow" />
        <Ports runtime={runtime} />
      </div>
      <p className="files-hint">
        <Info size={14} aria-hidden />{' '}{t('These files vanish with the runtime.')}
      </p>
      <div className="files-place">
        {root === HOME ? (
          <button type="button" className="tree-up" onClick={() => tree.show('/')} aria-label={t('Show the whole file system')}>
            <CornerLeftUp size={14} aria-hidden /> ..
          </button>
        ) : (
          <button type="button" className="tree-up" onClick={() => tree.show(HOME)}>
            <CornerLeftUp size={14} aria-hidden className="tree-back" /> {t('Back to {folder}', { folder: HOME })}
          </button>
        )}
      </div>
      <FileTree
        tree={tree}
        naming={naming}
        onNaming={(next) => {
          const was = naming
          setNaming(next)
          if (next === null && was !== null) focus(was.what === 'rename' ? was.path : was.folder)
        }}
        onNamed={named}
        menu={menu}
        onOpen={(path) => void openPath(path)}
        onRemove={setRemoving}
        onDropped={(transfer, folder) =>
          void droppedIn(transfer).then(
            (dropped) => upload(dropped, folder),
            (error: unknown) => notifyError(t('The files could not be read'), error),
          )
        }
        onMove={(path, folder) => void move(path, joined(folder, nameOf(path)))}
      />
      <TransferList transfers={transfers} />
      <DiskFoot />
      {[false, true].map((folders) => (
        <input
          key={String(folders)}
          ref={folders ? folderPicker : picker}
          type="file"
          hidden
          multiple
          aria-label={folders ? t('Choose a folder to upload') : t('Choose files to upload')}
          {...(folders && { webkitdirectory: '' })}
          onChange={(event) => {
            const files = chosen([...(event.target.files ?? [])])
            event.target.value = ''
            void upload(files, pickedFor.current)
          }}
        />
      ))}
      {dialog}
      <ConfirmDialog
        open={removing !== null}
        onClose={() => {
          setRemoving(null)
          // After the dialog has given the focus back: not to what is gone, nor away from where somebody went on.
          setTimeout(() => {
            const { focused } = tree.state.getState()
            if (focused !== null && document.activeElement?.closest('.files') === null) focus(focused)
          }, FOCUS_MS)
        }}
        danger
        title={t('Delete “{shown}”?', { shown: shown(nameOf(removing ?? '')) })}
        description={removed && opens(removed) ? t('The folder and everything in it are gone for good.') : t('It is gone for good.')}
        confirm={t('Delete')}
        onConfirm={() => (removing === null ? undefined : remove(removing))}
      />
    </>
  )
}

const REST_MS = 300
const FOCUS_MS = 50

/** Asks again when something may have changed: a run ended, a file was written, the person comes back. */
function useRefresh(tree: Tree, visible: boolean): void {
  const desk = useDesk()
  useEffect(() => {
    if (!visible) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const soon = () => {
      clearTimeout(timer)
      timer = setTimeout(() => document.visibilityState === 'visible' && void tree.refresh(), REST_MS)
    }
    const { root, folders } = tree.state.getState()
    if (folders.has(root)) soon()
    else void tree.load(root)
    const farewells = [
      desk.session.state.subscribe(({ kernel }, before) => {
        if (kernel?.state === before.kernel?.state || before.kernel?.state !== 'busy') return
        soon()
        tell(desk, { what: 'perhaps' })
      }),
      listen(desk, (news) => news.what !== 'moved' && soon()),
    ]
    addEventListener('focus', soon)
    document.addEventListener('visibilitychange', soon)
    return () => {
      clearTimeout(timer)
      for (const farewell of farewells) farewell()
      removeEventListener('focus', soon)
      document.removeEventListener('visibilitychange', soon)
    }
  }, [desk, tree, visible])
}

/** How full the runtime's disk is. */
function DiskFoot() {
  const usage = useStore(useDesk().session.usage, (usage) => usage.now)
  const used = usage?.disk_bytes
  const limit = usage?.disk_limit_bytes
  if (used == null || limit == null || limit <= 0) return null
  const full = share(used, limit)
  const text = t('{size} free', { size: sizeText(Math.max(0, limit - used)) })
  return (
    <div className="files-disk">
      <HardDrive size={14} aria-hidden />
      <span role="meter" aria-label={t('Disk')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(full * 100)} aria-valuetext={t('{part} of {whole} used', { part: sizeText(used), whole: sizeText(limit) })} className="files-meter" data-full={full > 0.9 || undefined}>
        <span style={{ width: `${full * 100}%` }} />
      </span>
      <span>{text}</span>
    </div>
  )
}

async function isFolder(runtime: RuntimeId, path: string): Promise<boolean> {
  try {
    await inside.list(runtime, path)
    return true
  } catch {
    return false
  }
}

export function download(runtime: RuntimeId, path: string): void {
  const link = document.createElement('a')
  link.href = contentAddress(runtime, path, true)
  link.download = nameOf(path)
  link.click()
}

async function copyPath(path: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(path)
    notify({ title: t('Path copied'), detail: shown(path) })
  } catch {
    notify({ title: t('The browser did not let us copy'), detail: shown(path), kind: 'bad' })
  }
}
