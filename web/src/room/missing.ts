/** What the server lacks of this document, split by who made it. */
import * as Y from 'yjs'

/** The update with everything of these clients that a document with this state vector lacks, and with every deletion. */
export function missing(doc: Y.Doc, theirs: ReadonlyMap<number, number>, clients: readonly number[]): Uint8Array {
  const vector = clocks(doc)
  for (const client of clients) vector.set(client, theirs.get(client) ?? 0)
  return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(vector))
}

/** The clients whose edits only this browser holds: this tab, and others that never reached the server. */
export function stranded(doc: Y.Doc, theirs: ReadonlyMap<number, number>): number[] {
  return [...clocks(doc)].filter(([client, clock]) => clock > (theirs.get(client) ?? 0)).map(([client]) => client)
}

/** What another document has once it has taken this update in as well. */
export function advance(theirs: Map<number, number>, update: Uint8Array): void {
  for (const [client, clock] of Y.parseUpdateMeta(update).to) theirs.set(client, Math.max(clock, theirs.get(client) ?? 0))
}

function clocks(doc: Y.Doc): Map<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc))
}
