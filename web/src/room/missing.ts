/** What the server lacks of this document, split by who made it. */
import * as Y from 'yjs'

/** The update with everything of `client` that a document with this state vector lacks; null when there is nothing. */
export function missing(doc: Y.Doc, theirs: ReadonlyMap<number, number>, client: number): Uint8Array | null {
  const mine = clocks(doc)
  if ((mine.get(client) ?? 0) <= (theirs.get(client) ?? 0)) return null
  return since(doc, mine, theirs, client)
}

/** The same, but never null: deletions alone leave no trace in a state vector. */
export function missingWithDeletions(doc: Y.Doc, theirs: ReadonlyMap<number, number>, client: number): Uint8Array {
  return since(doc, clocks(doc), theirs, client)
}

/** Other clients whose edits only this browser holds: tabs that were closed before they reached the server. */
export function stranded(doc: Y.Doc, theirs: ReadonlyMap<number, number>, client: number): number[] {
  return [...clocks(doc)].filter(([id, clock]) => id !== client && clock > (theirs.get(id) ?? 0)).map(([id]) => id)
}

export function clocks(doc: Y.Doc): Map<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc))
}

function since(doc: Y.Doc, mine: Map<number, number>, theirs: ReadonlyMap<number, number>, client: number): Uint8Array {
  const vector = new Map(mine).set(client, theirs.get(client) ?? 0)
  return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(vector))
}
