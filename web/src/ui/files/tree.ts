/** The files of a runtime as a tree that is fetched folder by folder. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { ApiError } from '../../api/client'
import type { Entry, Folder } from '../../api/inside'
import { HOME, joined, moved, parentOf, within } from './paths'
import { byName } from '../../i18n/formats'

export interface FolderState {
  /** Null: not here yet. */
  readonly entries: readonly Entry[] | null
  readonly truncated: boolean
  readonly loading: boolean
  readonly error: string | null
  /** How many are shown; a folder may hold thousands. */
  readonly shown: number
}

export interface TreeState {
  readonly root: string
  readonly folders: ReadonlyMap<string, FolderState>
  readonly open: ReadonlySet<string>
  readonly focused: string | null
  /** Whether names that begin with a dot are shown too. */
  readonly dotted: boolean
}

/** A line of the tree as it is shown. */
export type Row =
  | {
      readonly is: 'entry'
      readonly path: string
      readonly entry: Entry
      readonly depth: number
      readonly place: number
      readonly places: number
      /** Null: nothing opens below it. */
      readonly expanded: boolean | null
    }
  | { readonly is: 'note'; readonly path: string; readonly depth: number; readonly note: 'loading' | 'empty' | 'truncated' }
  | { readonly is: 'note'; readonly path: string; readonly depth: number; readonly note: 'error'; readonly error: string }
  | { readonly is: 'note'; readonly path: string; readonly depth: number; readonly note: 'more'; readonly more: number }

const SHOWN_FIRST = 300
const SHOWN_MORE = 700
/** Uploads that are not complete, and files that are being written. */
const UNFINISHED = /^\..*\.collegium-(?:upload|part)$/s
const NEW: FolderState = { entries: null, truncated: false, loading: false, error: null, shown: SHOWN_FIRST }

export const opens = ({ kind }: Entry): boolean => kind === 'directory'

/** Folders first, then by name as people count. */
export function sorted(entries: readonly Entry[]): readonly Entry[] {
  return [...entries].sort((a, b) => Number(opens(b)) - Number(opens(a)) || byName(a.name, b.name) || (a.name < b.name ? -1 : 1))
}

export function rowsOf({ root, folders, open, dotted }: TreeState): readonly Row[] {
  const rows: Row[] = []
  const put = (path: string, depth: number) => {
    const folder = folders.get(path)
    if (folder?.error != null) return rows.push({ is: 'note', path, depth, note: 'error', error: folder.error })
    if (folder?.entries == null) return rows.push({ is: 'note', path, depth, note: 'loading' })
    const entries = folder.entries.filter(({ name }) => !name.startsWith('.') || (dotted && !UNFINISHED.test(name)))
    if (entries.length === 0) return rows.push({ is: 'note', path, depth, note: 'empty' })
    const shown = entries.slice(0, folder.shown)
    shown.forEach((entry, at) => {
      const own = joined(path, entry.name)
      const expanded = opens(entry) || open.has(own) ? open.has(own) : null
      rows.push({ is: 'entry', path: own, entry, depth, place: at + 1, places: entries.length, expanded })
      if (expanded === true) put(own, depth + 1)
    })
    const more = entries.length - shown.length
    if (more > 0) return rows.push({ is: 'note', path, depth, note: 'more', more })
    if (folder.truncated) return rows.push({ is: 'note', path, depth, note: 'truncated' })
    return
  }
  put(root, 1)
  return rows
}

export type Move = 'up' | 'down' | 'first' | 'last' | 'in' | 'out'
/** Where the keys lead, and what they open or shut on the way (the tree pattern of WAI-ARIA). */
export function moveIn(rows: readonly Row[], focused: string | null, move: Move): { readonly focus: string } | { readonly toggle: string } | null {
  const entries = rows.filter((row) => row.is === 'entry')
  const at = entries.findIndex(({ path }) => path === focused)
  const here = entries[at]
  const go = (row: { readonly path: string } | undefined) => (row ? { focus: row.path } : null)
  if (here === undefined || move === 'first') return go(entries[0])
  switch (move) {
    case 'up':
      return go(entries[at - 1])
    case 'down':
      return go(entries[at + 1])
    case 'last':
      return go(entries.at(-1))
    case 'in': {
      if (here.expanded === null) return null
      const below = entries[at + 1]
      return here.expanded ? go(below && below.depth > here.depth ? below : undefined) : { toggle: here.path }
    }
    case 'out':
      if (here.expanded === true) return { toggle: here.path }
      return go(entries.slice(0, at).findLast(({ depth }) => depth < here.depth))
  }
}

/** The next entry whose name begins with what was typed, going round once. */
export function typedAhead(rows: readonly Row[], focused: string | null, typed: string): string | null {
  const entries = rows.filter((row) => row.is === 'entry')
  const from = Math.max(0, entries.findIndex(({ path }) => path === focused))
  const wanted = typed.toLocaleLowerCase()
  for (let step = typed.length > 1 ? 0 : 1; step <= entries.length; step += 1) {
    const row = entries[(from + step) % entries.length]
    if (row?.entry.name.toLocaleLowerCase().startsWith(wanted)) return row.path
  }
  return null
}

const TOGETHER_MAX = 4

export class Tree {
  readonly state: StoreApi<TreeState> = createStore<TreeState>(() => ({ root: HOME, folders: new Map(), open: new Set(), focused: null, dotted: false }))
  private readonly asked = new Map<string, number>()
  private requests = 0

  constructor(private readonly list: (path: string) => Promise<Folder>) {}

  /** Show this folder and what is in it, and nothing around it. */
  show(root: string): void {
    const { folders, open } = this.state.getState()
    this.state.setState({ root, focused: null, open: root === '/' ? new Set([...open, HOME]) : open })
    if (!folders.has(root)) void this.load(root)
    if (root === '/' && !folders.has(HOME)) void this.load(HOME)
  }

  focus(path: string | null): void {
    this.state.setState({ focused: path })
  }

  toggle(path: string): void {
    if (this.state.getState().open.has(path)) this.shut(path)
    else void this.expand(path)
  }

  shut(path: string): void {
    this.state.setState(({ open, focused }) => ({
      open: new Set([...open].filter((one) => one !== path)),
      focused: focused !== null && within(focused, path) ? path : focused,
    }))
  }

  async expand(path: string): Promise<void> {
    this.state.setState(({ open }) => ({ open: new Set([...open, path]) }))
    await this.load(path)
  }

  showDotted(dotted: boolean): void {
    this.state.setState({ dotted })
  }

  more(path: string): void {
    this.put(path, ({ shown }) => ({ shown: shown + SHOWN_MORE }))
  }

  /** Every folder that is shown, asked for once more. */
  async refresh(): Promise<void> {
    const { root, open, folders } = this.state.getState()
    const wanted = [root, ...[...open].filter((path) => folders.has(path) && within(path, root) && this.seen(path))]
    const next = async (): Promise<void> => {
      const path = wanted.shift()
      if (path === undefined) return
      await this.load(path)
      await next()
    }
    await Promise.all(Array.from({ length: TOGETHER_MAX }, next))
  }

  entry(path: string): Entry | undefined {
    return this.state.getState().folders.get(parentOf(path))?.entries?.find(({ name }) => joined(parentOf(path), name) === path)
  }

  /** Something was moved: what was open stays open there. */
  moved(from: string, to: string): void {
    this.state.setState(({ open, folders, focused }) => ({
      open: new Set([...open].map((path) => moved(path, from, to))),
      folders: new Map([...folders].map(([path, folder]) => [moved(path, from, to), folder])),
      focused: focused === null ? null : moved(focused, from, to),
    }))
  }

  /** Something was removed: the focus goes to a neighbour. */
  removed(path: string): void {
    const rows = rowsOf(this.state.getState()).filter((row) => row.is === 'entry')
    const { focused } = this.state.getState()
    const outside = rows.filter((row) => row.path === path || !within(row.path, path))
    const at = outside.findIndex((row) => row.path === path)
    const neighbour = outside[at + 1]?.depth === outside[at]?.depth ? outside[at + 1] : outside[at - 1]
    this.state.setState(({ open, folders }) => ({
      open: new Set([...open].filter((one) => !within(one, path))),
      folders: new Map([...folders].filter(([one]) => !within(one, path))),
      focused: focused !== null && within(focused, path) ? (neighbour?.path ?? null) : focused,
    }))
    this.put(parentOf(path), ({ entries }) => ({ entries: entries?.filter(({ name }) => joined(parentOf(path), name) !== path) ?? null }))
  }

  /** Rejects never: what went wrong stands in the folder. */
  async load(path: string): Promise<void> {
    const request = ++this.requests
    this.asked.set(path, request)
    this.put(path, () => ({ loading: true }), true)
    const latest = () => this.asked.get(path) === request
    try {
      const { entries, truncated } = await this.list(path)
      if (!latest()) return
      const news = sorted(entries)
      this.put(path, (before) => ({ entries: same(before.entries, news) ? before.entries : news, truncated, loading: false, error: null }))
    } catch (error) {
      if (!latest()) return
      if (error instanceof ApiError && error.status === 404 && path !== this.state.getState().root && path !== HOME) return this.gone(path)
      this.put(path, ({ entries }) => ({ loading: false, error: entries !== null && error instanceof ApiError && error.status === 0 ? null : error instanceof Error ? error.message : String(error) }))
    }
  }

  private gone(path: string): void {
    this.state.setState(({ open, folders }) => ({
      open: new Set([...open].filter((one) => !within(one, path))),
      folders: new Map([...folders].filter(([one]) => !within(one, path))),
    }))
  }

  /** Whether all folders above it are open too. */
  private seen(path: string): boolean {
    const { root, open } = this.state.getState()
    for (let above = parentOf(path); above !== root && above !== '/'; above = parentOf(above)) if (!open.has(above)) return false
    return true
  }

  private put(path: string, change: (before: FolderState) => Partial<FolderState>, make = false): void {
    this.state.setState(({ folders }) => {
      const before = folders.get(path) ?? (make ? NEW : undefined)
      return before === undefined ? {} : { folders: new Map(folders).set(path, { ...before, ...change(before) }) }
    })
  }
}

function same(one: readonly Entry[] | null, other: readonly Entry[]): boolean {
  return one !== null && JSON.stringify(one) === JSON.stringify(other)
}
