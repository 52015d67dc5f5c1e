/** The tree itself: rows, keys, names being typed, and what is dragged over it. */
import { ChevronRight, EllipsisVertical, File, FileBraces, FileImage, FileSpreadsheet, FileText, Folder, FolderOpen, FolderSymlink, Music, Video } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, memo, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { brief, number } from '../../i18n/formats'
import { sizeText } from '../../model/usage'
import { classes, ContextMenu, type MenuEntry, Spinner } from '../kit'
import { misnamed, nameOf, parentOf, shown, sortOf, within } from './paths'
import { type Move, moveIn, opens, type Row, rowsOf, type Tree, typedAhead } from './tree'

/** A name that is being typed. */
export type Naming = { readonly what: 'rename'; readonly path: string } | { readonly what: 'file' | 'directory'; readonly folder: string }

export interface FileTreeProps {
  readonly tree: Tree
  readonly naming: Naming | null
  readonly onNaming: (naming: Naming | null) => void
  /** Resolves to whether the name was taken up. */
  readonly onNamed: (naming: Naming, name: string) => Promise<boolean>
  readonly menu: (path: string | null) => readonly MenuEntry[]
  readonly onOpen: (path: string) => void
  readonly onRemove: (path: string) => void
  readonly onDropped: (transfer: DataTransfer, folder: string) => void
  readonly onMove: (path: string, folder: string) => void
}

/** A path dragged from the tree; also as plain text, so that it can be dropped into a cell. */
const DRAGGED = 'application/x-collegium-path'
const TYPED_WITHIN_MS = 600
const MOVES: Readonly<Record<string, Move>> = { ArrowUp: 'up', ArrowDown: 'down', ArrowRight: 'in', ArrowLeft: 'out', Home: 'first', End: 'last' }

export function FileTree({ tree, naming, onNaming, onNamed, menu, onOpen, onRemove, onDropped, onMove }: FileTreeProps) {
  const state = useStore(tree.state)
  const rows = useMemo(() => rowsOf(state), [state])
  const box = useRef<HTMLDivElement>(null)
  const [under, setUnder] = useState<string | null>(null)
  const [over, setOver] = useState<string | null>(null)
  const typed = useRef({ text: '', at: 0 })
  const { focused, root } = state
  const tabbable = rows.some((row) => row.is === 'entry' && row.path === focused) ? focused : (rows.find((row) => row.is === 'entry')?.path ?? null)

  const goTo = (path: string) => {
    tree.focus(path)
    requestAnimationFrame(() => rowOf(box.current, path)?.focus())
  }
  // What is removed takes the focus along; it goes to the neighbour.
  const hadFocus = useRef(false)
  useLayoutEffect(() => {
    if (hadFocus.current && document.activeElement === document.body && focused !== null) rowOf(box.current, focused)?.focus()
  }, [rows, focused])

  const key = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target instanceof HTMLInputElement) return
    const here = rows.find((row) => row.is === 'entry' && row.path === focused)
    const move = MOVES[event.key]
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey
    if (move !== undefined && plain) {
      const to = moveIn(rows, focused, move)
      if (to && 'focus' in to) goTo(to.focus)
      else if (to) tree.toggle(to.toggle)
    } else if (here?.is === 'entry' && (event.key === 'Enter' || event.key === ' ') && plain) activate(here)
    else if (here && event.key === 'F2') onNaming({ what: 'rename', path: here.path })
    else if (here && (event.key === 'Delete' || (event.key === 'Backspace' && event.metaKey))) onRemove(here.path)
    else if (event.key.length === 1 && plain) {
      const { text, at } = typed.current
      typed.current = { text: event.timeStamp - at < TYPED_WITHIN_MS ? text + event.key : event.key, at: event.timeStamp }
      const to = typedAhead(rows, focused, typed.current.text)
      if (to !== null) goTo(to)
    } else return
    event.preventDefault()
  }
  const activate = (row: Row & { is: 'entry' }) => {
    tree.focus(row.path)
    if (row.expanded !== null) tree.toggle(row.path)
    else onOpen(row.path)
  }

  /** The folder that something dropped here goes into; null: nothing is taken here. */
  const target = (event: DragEvent): string | null => {
    if (!event.dataTransfer.types.some((type) => type === 'Files' || type === DRAGGED)) return null
    const path = pathAt(event.target)
    if (path === null) return root
    const entry = tree.entry(path)
    return entry && opens(entry) ? path : parentOf(path)
  }
  const dragOver = (event: DragEvent) => {
    const to = target(event)
    setOver(to)
    if (to === null) return
    event.preventDefault()
    event.dataTransfer.dropEffect = event.dataTransfer.types.includes('Files') ? 'copy' : 'move'
  }
  const drop = (event: DragEvent) => {
    const to = target(event)
    setOver(null)
    if (to === null) return
    event.preventDefault()
    const dragged = event.dataTransfer.getData(DRAGGED)
    if (event.dataTransfer.types.includes('Files')) onDropped(event.dataTransfer, to)
    else if (dragged !== '' && parentOf(dragged) !== to && !within(to, dragged)) onMove(dragged, to)
  }
  const naming_ = (path: string) => naming !== null && naming.what !== 'rename' && naming.folder === path

  return (
    <ContextMenu items={menu(under)}>
      <div
        ref={box}
        className={classes('tree', over === root && 'tree-over')}
        onKeyDown={key}
        onFocus={(event) => {
          hadFocus.current = true
          const path = pathAt(event.target)
          if (path !== null && path !== focused) tree.focus(path)
        }}
        onBlur={(event) => {
          // Null when the row itself has gone: then the focus is not lost but looked for.
          if (event.relatedTarget !== null) hadFocus.current = event.currentTarget.contains(event.relatedTarget)
        }}
        onPointerDownCapture={(event) => setUnder(pathAt(event.target))}
        onContextMenuCapture={(event) => setUnder(pathAt(event.target))}
        onDragOver={dragOver}
        onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(null)}
        onDrop={drop}
      >
        {naming_(root) && <NameInput naming={naming!} depth={1} onNaming={onNaming} onNamed={onNamed} />}
        <div role={rows.every((row) => row.is === 'note') ? 'group' : 'tree'} aria-label={t('Files in {root}', { root })} aria-busy={state.folders.get(root)?.loading || undefined}>
          {rows.map((row) =>
            row.is === 'note' ? (
              <Note key={`${row.path}/${row.note}`} row={row} tree={tree} quiet={naming_(row.path)} />
            ) : (
              <Line
                key={row.path}
                row={row}
                tabbable={row.path === tabbable}
                over={over === row.path}
                under={under === row.path}
                activate={activate}
                menu={setUnder}
                input={naming?.what === 'rename' && naming.path === row.path ? <NameInput naming={naming} depth={row.depth} onNaming={onNaming} onNamed={onNamed} /> : null}
                below={row.expanded === true && naming_(row.path) ? <NameInput naming={naming!} depth={row.depth + 1} onNaming={onNaming} onNamed={onNamed} /> : null}
              />
            ),
          )}
        </div>
      </div>
    </ContextMenu>
  )
}

const rowOf = (box: HTMLElement | null, path: string) => box?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`)
const pathAt = (target: EventTarget | null) => (target instanceof Element ? (target.closest<HTMLElement>('[data-path]')?.dataset.path ?? null) : null)

interface LineProps {
  readonly row: Row & { readonly is: 'entry' }
  readonly tabbable: boolean
  readonly over: boolean
  /** The menu is about this one, if it is open. */
  readonly under: boolean
  readonly activate: (row: Row & { is: 'entry' }) => void
  readonly menu: (path: string) => void
  readonly input: ReactNode
  readonly below: ReactNode
}

const Line = memo(
  function Line({ row, tabbable, over, under, activate, menu, input, below }: LineProps) {
    const { path, entry, depth, place, places, expanded } = row
    const name = shown(entry.name)
    const about = opens(entry) ? brief(entry.modified_ms, Date.now()) : `${sizeText(entry.size)}, ${brief(entry.modified_ms, Date.now())}`
    const more = useRef<HTMLSpanElement>(null)
    return (
      <>
        <div
          role="treeitem"
          aria-description={about}
          aria-level={depth}
          aria-posinset={place}
          aria-setsize={places}
          aria-expanded={expanded ?? undefined}
          aria-selected={tabbable}
          tabIndex={tabbable ? 0 : -1}
          className={classes('tree-row', over && 'tree-over')}
          style={{ paddingLeft: 4 + (depth - 1) * 14 }}
          title={input === null ? `${name}\n${about}` : undefined}
          data-path={path}
          data-under={under || undefined}
          draggable={input === null}
          onDragStart={(event) => {
            event.dataTransfer.setData(DRAGGED, path)
            event.dataTransfer.setData('text/plain', path)
            event.dataTransfer.effectAllowed = 'copyMove'
          }}
          onClick={() => input === null && activate(row)}
        >
          <ChevronRight size={14} aria-hidden className={classes('tree-twist', expanded === true && 'tree-open', expanded === null && 'tree-leaf')} />
          <Icon row={row} />
          {input ?? (
            <>
              <span className="tree-name">{name}</span>
              <span className="tree-time" aria-hidden>{brief(entry.modified_ms, Date.now())}</span>
              <span className="tree-size" aria-hidden>{opens(entry) ? '' : sizeText(entry.size)}</span>
              <span
                ref={more}
                className="tree-more"
                aria-hidden
                onClick={(event) => {
                  event.stopPropagation()
                  menu(path)
                  const at = event.currentTarget.getBoundingClientRect()
                  event.currentTarget.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: at.left, clientY: at.bottom, button: 2 }))
                }}
              >
                <EllipsisVertical size={16} />
              </span>
            </>
          )}
        </div>
        {below}
      </>
    )
  },
  (before, after) =>
    before.tabbable === after.tabbable && before.over === after.over && before.under === after.under && before.input === null && after.input === null && before.below === null && after.below === null && sameRow(before.row, after.row),
)

const sameRow = (one: LineProps['row'], other: LineProps['row']) =>
  one.path === other.path && one.entry === other.entry && one.depth === other.depth && one.place === other.place && one.places === other.places && one.expanded === other.expanded

function Icon({ row: { entry, expanded } }: { row: LineProps['row'] }) {
  const look = { size: 16, 'aria-hidden': true, className: 'tree-icon' } as const
  if (opens(entry)) return expanded === true ? <FolderOpen {...look} className="tree-icon tree-folder" /> : <Folder {...look} className="tree-icon tree-folder" />
  if (entry.kind === 'link') return <FolderSymlink {...look} />
  switch (sortOf(entry.name)) {
    case 'text':
      return <FileText {...look} />
    case 'table':
      return <FileSpreadsheet {...look} />
    case 'json':
      return <FileBraces {...look} />
    case 'image':
      return <FileImage {...look} />
    case 'audio':
      return <Music {...look} />
    case 'video':
      return <Video {...look} />
    case 'none':
      return <File {...look} />
  }
}

function Note({ row, tree, quiet }: { row: Row & { readonly is: 'note' }; tree: Tree; quiet: boolean }) {
  const style = { paddingLeft: 24 + (row.depth - 1) * 14 }
  switch (row.note) {
    case 'loading':
      return (
        <div role="none" className="tree-note" style={style}>
          <Spinner />{' '}{t('Loading…')}
        </div>
      )
    case 'empty':
      return quiet ? null : (
        <div role="none" className="tree-note" style={style}>
          {row.depth === 1 ? t('No files here yet. Drop some, or write one from a cell.') : t('Empty')}
        </div>
      )
    case 'truncated':
      return (
        <div role="none" className="tree-note" style={style}>
          {t('There is more than can be listed here.')}
        </div>
      )
    case 'error':
      return (
        <div role="none" className="tree-note tree-error" style={style}>
          {row.error}
        </div>
      )
    case 'more':
      return (
        <div role="none" className="tree-note" style={style}>
          <button type="button" className="tree-show-more" onClick={() => tree.more(row.path)}>
            {t('Show {count} more', { count: number(row.more) })}
          </button>
        </div>
      )
  }
}

interface NameInputProps {
  readonly naming: Naming
  readonly depth: number
  readonly onNaming: (naming: Naming | null) => void
  readonly onNamed: (naming: Naming, name: string) => Promise<boolean>
}

function NameInput({ naming, depth, onNaming, onNamed }: NameInputProps) {
  const first = naming.what === 'rename' ? nameOf(naming.path) : naming.what === 'file' ? 'untitled.txt' : 'untitled'
  const [name, setName] = useState(first)
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // After the menu that asked for it has given the focus back.
    const timer = setTimeout(() => {
      const dot = first.lastIndexOf('.')
      input.current?.focus()
      input.current?.setSelectionRange(0, dot > 0 ? dot : first.length)
    })
    return () => clearTimeout(timer)
  }, [first])
  const problem = misnamed(name)
  const done = async () => {
    if (busy) return
    if (problem !== null || (naming.what === 'rename' && name === first)) return onNaming(null)
    setBusy(true)
    if (!(await onNamed(naming, name))) {
      setBusy(false)
      input.current?.focus()
    }
  }
  const field = (
    <input
      ref={input}
      className="tree-input"
      aria-label={naming.what === 'rename' ? t('New name') : naming.what === 'file' ? t('Name of the new file') : t('Name of the new folder')}
      aria-invalid={problem !== null || undefined}
      title={problem ?? undefined}
      value={name}
      readOnly={busy}
      spellCheck={false}
      autoCapitalize="off"
      onChange={(event) => setName(event.target.value)}
      onClick={(event) => event.stopPropagation()}
      onBlur={() => input.current?.dataset.left === undefined && void done()}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return
        event.preventDefault()
        if (event.key === 'Enter') return void done()
        event.currentTarget.dataset.left = ''
        onNaming(null)
      }}
    />
  )
  if (naming.what === 'rename') return field
  return (
    <div className="tree-row" style={{ paddingLeft: 4 + (depth - 1) * 14 }}>
      <span className="tree-twist" />
      {naming.what === 'file' ? <FileText size={16} aria-hidden className="tree-icon" /> : <Folder size={16} aria-hidden className="tree-icon tree-folder" />}
      {field}
    </div>
  )
}
