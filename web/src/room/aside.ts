/** The edits that wait for a person: listed, brought into the document that took the place of theirs, or made a file. */
import type * as Y from 'yjs'
import { cellOf, draftOf, order } from '../model/notebook'
import type { NotebookId } from '../model/wire'
import { docOf, rebase } from './rebase'
import { ASIDE, asked, done, openShelf, type SetAside } from './shelf'

export async function listAside(user: string, notebook: NotebookId): Promise<SetAside[]> {
  const shelf = await openShelf(user)
  try {
    const range = IDBKeyRange.bound(`${notebook}/`, `${notebook}/\uffff`)
    return (await asked(shelf.transaction(ASIDE, 'readonly').objectStore(ASIDE).getAll(range))) as SetAside[]
  } finally {
    shelf.close()
  }
}

/** Keep this instead, or nothing any more. */
export async function keepAside(user: string, id: string, record: SetAside | null): Promise<void> {
  const shelf = await openShelf(user)
  try {
    const work = shelf.transaction(ASIDE, 'readwrite')
    if (record) work.objectStore(ASIDE).put(record)
    else work.objectStore(ASIDE).delete(id)
    await done(work)
  } finally {
    shelf.close()
  }
}

/** Bring in what fits of edits whose document was replaced; gives what is left of them. One tab of a browser does it. */
export async function bringIn(user: string, doc: Y.Doc, record: SetAside, by: string): Promise<SetAside | null> {
  const work = async () => {
    // Another tab may have been here first.
    const now = (await listAside(user, record.notebook)).find(({ id }) => id === record.id)
    if (!now || now.left) return now ?? null
    const left = rebase(doc, docOf(now.base), docOf(now.ours), by)
    const next = left.length > 0 ? { ...now, left } : null
    await keepAside(user, now.id, next)
    return next
  }
  const locks = globalThis.navigator?.locks
  return locks ? locks.request(`collegium/aside/${record.id}`, work) : work()
}

/** The document as a file; outputs are not kept in the browser. */
export function ipynb(doc: Y.Doc): string {
  const meta = doc.getMap('meta')
  const metadata: Record<string, unknown> = {}
  for (const [key, value] of meta.entries()) if (key.startsWith('md:')) metadata[key.slice(3)] = value
  const cells = order(doc).map((id) => {
    const { type, source, metadata: own, attachments } = draftOf(cellOf(doc, id)!)
    const cell = { cell_type: type, id, metadata: own ?? {}, source: source ?? '' }
    if (type === 'code') return { ...cell, outputs: [], execution_count: null }
    return Object.keys(attachments ?? {}).length > 0 ? { ...cell, attachments } : cell
  })
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }, null, 1)
}
