/** Where this browser keeps notebooks: one database for each person who signs in here. Knows nothing of documents. */
import type { NotebookId, Role } from '../model/wire'

export const NOTEBOOKS = 'notebooks'
/** What the server is known to have, piece by piece. */
export const LOG = 'log'
/** What it is not known to have: one entry for each edit, under the client id that made it. */
export const UNSENT = 'unsent'
/** Edits that could not become part of their notebook, until the person has decided about them. */
export const ASIDE = 'aside'

export interface Label {
  /** Which life of the document it is. */
  readonly epoch: string
  readonly name: string
  readonly role: Role
  readonly may: readonly string[]
}
export interface Entry extends Label {
  readonly notebook: NotebookId
  /** When it was last open here. */
  readonly opened: number
}
export type UnsentKey = readonly [notebook: NotebookId, epoch: string, client: number, n: number]

export interface SetAside {
  readonly id: string
  readonly notebook: NotebookId
  readonly name: string
  readonly at: number
  /** The document was replaced; an edit was refused; the right to write was taken; the notebook is gone. */
  readonly why: 'epoch' | 'refused' | 'role' | 'gone'
  readonly edits: number
  /** The document as the server last had it, and as this browser has it: two Yjs updates. */
  readonly base: Uint8Array
  readonly ours: Uint8Array
  /** The cells that need a person's eye, once all the others were brought into the document that took its place. */
  readonly left?: readonly string[]
}

const nameOf = (user: string) => `collegium/${user}`

/** Rejects where there is no such thing: in some private windows, on a full disk. */
export function openShelf(user: string): Promise<IDBDatabase> {
  if (!('indexedDB' in globalThis)) return Promise.reject(new Error('This browser has no database.'))
  const request = indexedDB.open(nameOf(user), 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(NOTEBOOKS, { keyPath: 'notebook' })
    request.result.createObjectStore(LOG)
    request.result.createObjectStore(UNSENT)
    request.result.createObjectStore(ASIDE, { keyPath: 'id' })
  }
  return asked(request).then((shelf) => {
    // Whoever signs out in another tab takes the shelf away.
    shelf.onversionchange = () => shelf.close()
    return shelf
  })
}

export function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error as DOMException)
  })
}

export function done(work: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    work.oncomplete = () => resolve()
    work.onabort = () => reject(work.error ?? new Error('The browser gave the work up.'))
  })
}

/** All keys that begin with these words. */
export const below = (...words: readonly string[]) => IDBKeyRange.bound([...words], [...words, []])

export interface Available {
  readonly notebook: NotebookId
  readonly name: string
  readonly opened: number
  readonly unsent: number
}

/** The notebooks that can be opened from this browser alone, the latest first. */
export async function available(user: string): Promise<Available[]> {
  const shelf = await openShelf(user)
  try {
    const work = shelf.transaction([NOTEBOOKS, UNSENT], 'readonly')
    const entries = (await asked(work.objectStore(NOTEBOOKS).getAll())) as Entry[]
    const counted = await Promise.all(
      entries.map(async ({ notebook, name, opened, epoch }) => ({ notebook, name, opened, unsent: await asked(work.objectStore(UNSENT).count(below(notebook, epoch))) })),
    )
    return counted.sort((a, b) => b.opened - a.opened)
  } finally {
    shelf.close()
  }
}

/** Remove the copies of all that the server has as well: for signing out on a shared computer. */
export async function forgetSavedCopies(user: string): Promise<void> {
  const shelf = await openShelf(user)
  const work = shelf.transaction([NOTEBOOKS, LOG, UNSENT, ASIDE], 'readwrite')
  const finished = done(work)
  const entries = (await asked(work.objectStore(NOTEBOOKS).getAll())) as Entry[]
  let kept = await asked(work.objectStore(ASIDE).count())
  for (const { notebook, epoch } of entries) {
    const unsent = await asked(work.objectStore(UNSENT).count(below(notebook, epoch)))
    kept += unsent
    if (unsent > 0) continue
    work.objectStore(NOTEBOOKS).delete(notebook)
    work.objectStore(LOG).delete(below(notebook))
  }
  await finished
  shelf.close()
  if (kept === 0) await asked(indexedDB.deleteDatabase(nameOf(user)))
}
