/** `scrolled` of a code cell's metadata, as nbformat has it: whether its outputs stand in a box that scrolls. */
import type * as Y from 'yjs'
import { CELL_OPERATION, cellOf } from './notebook'
import { metadataOf } from './facts'
import type { CellId } from './wire'

/** Undefined: `auto`, or never said. */
export function scrolledOf(metadata: Y.Map<unknown> | undefined): boolean | undefined {
  const value = metadata?.get('scrolled')
  return typeof value === 'boolean' ? value : undefined
}

/** In a box, or, again, as the page thinks best. For everybody. */
export function scrollOutputs(doc: Y.Doc, cells: readonly CellId[], scrolled: boolean): void {
  doc.transact(() => {
    for (const id of cells) {
      const cell = cellOf(doc, id)
      const metadata = cell && metadataOf(cell)
      if (scrolled) metadata?.set('scrolled', true)
      else metadata?.delete('scrolled')
    }
  }, CELL_OPERATION)
}
