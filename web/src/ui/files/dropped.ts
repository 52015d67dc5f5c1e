/** Files and folders from the desktop, and where each of them goes. */
import { joined, misnamed } from './paths'
import type { Sending } from './transfer'

/** A file, or an empty folder; `name` is its path below what was dropped. */
export interface Dropped {
  readonly name: string
  readonly file: File | null
}

export const DROPPED_MAX = 10_000

/** Everything that was dropped, folders with what is in them. Must be called while the drop is handled. */
export async function droppedIn(transfer: DataTransfer): Promise<readonly Dropped[]> {
  const entries = [...transfer.items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry() ?? item.getAsFile())
  const found: Dropped[] = []
  for (const entry of entries) {
    if (entry instanceof File) found.push({ name: entry.name, file: entry })
    else if (entry !== null) await walk(entry, entry.name, found)
  }
  return found.slice(0, DROPPED_MAX)
}

async function walk(entry: FileSystemEntry, name: string, found: Dropped[]): Promise<void> {
  if (found.length > DROPPED_MAX) return
  if (entry.isFile) {
    found.push({ name, file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const children: FileSystemEntry[] = []
  // A reader gives at most a hundred at a time, and nothing when that was all.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) break
    children.push(...some)
  }
  if (children.length === 0) found.push({ name, file: null })
  for (const child of children) await walk(child, `${name}/${child.name}`, found)
}

/** Files that a person chose, with the folder they chose them by. */
export function chosen(files: readonly File[]): readonly Dropped[] {
  return files.slice(0, DROPPED_MAX).map((file) => ({ name: file.webkitRelativePath || file.name, file }))
}

const topOf = (name: string) => name.split('/', 1)[0]!

/** The names that will stand in the folder itself, and whether each is a folder. */
export function tops(dropped: readonly Dropped[]): ReadonlyMap<string, 'file' | 'directory'> {
  return new Map(dropped.map(({ name, file }) => [topOf(name), name.includes('/') || file === null ? 'directory' : 'file']))
}

/** What to make and what to send; `as` says under which name each of the tops goes, null that it stays at home. */
export function plan(dropped: readonly Dropped[], folder: string, as: ReadonlyMap<string, string | null>): { readonly folders: readonly string[]; readonly sendings: readonly Sending[] } {
  const folders = new Set<string>()
  const sendings: Sending[] = []
  for (const { name, file } of dropped) {
    const top = topOf(name)
    const to = as.get(top)
    if (to == null || name.split('/').some((part) => misnamed(part) !== null)) continue
    const own = to + name.slice(top.length)
    const parts = own.split('/')
    for (let depth = 1; depth < parts.length + (file === null ? 1 : 0); depth += 1) folders.add(joined(folder, parts.slice(0, depth).join('/')))
    if (file !== null) sendings.push({ name: own, path: joined(folder, own), file })
  }
  return { folders: [...folders], sendings }
}
