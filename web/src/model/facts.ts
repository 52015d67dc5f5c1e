/** What a cell's metadata says about how it is shown and whether it may be changed, in nbformat's keys. */
import * as Y from 'yjs'
import { record } from './metadata'
import { CELL_OPERATION, type CellMap, cellOf } from './notebook'
import type { CellId } from './wire'

export interface Facts {
  readonly sourceHidden: boolean
  readonly outputsHidden: boolean
  /** `editable: false`: nobody types into it, deletes, cuts, splits, merges or converts it. */
  readonly readOnly: boolean
  /** `deletable: false`, or read-only. */
  readonly kept: boolean
}

export const PLAIN: Facts = { sourceHidden: false, outputsHidden: false, readOnly: false, kept: false }

export const metadataOf = (cell: CellMap): Y.Map<unknown> | undefined => {
  const metadata = cell.get('md')
  return metadata instanceof Y.Map ? metadata : undefined
}

export function factsOf(cell: CellMap): Facts {
  const metadata = metadataOf(cell)
  if (!metadata || metadata.size === 0) return PLAIN
  const jupyter = record(metadata.get('jupyter'))
  const readOnly = metadata.get('editable') === false
  return {
    sourceHidden: jupyter['source_hidden'] === true,
    outputsHidden: jupyter['outputs_hidden'] === true || metadata.get('collapsed') === true,
    readOnly,
    kept: readOnly || metadata.get('deletable') === false,
  }
}

export const sameFacts = (a: Facts, b: Facts): boolean => a.sourceHidden === b.sourceHidden && a.outputsHidden === b.outputsHidden && a.readOnly === b.readOnly && a.kept === b.kept

/** Show or hide the source, for everybody. */
export function hideSource(doc: Y.Doc, ids: readonly CellId[], hidden: boolean): void {
  each(doc, ids, (metadata) => put(metadata, 'jupyter', { source_hidden: hidden || undefined }))
}

/** Show or hide the outputs, for everybody. JupyterLab writes both keys, and older files know one of them. */
export function hideOutputs(doc: Y.Doc, ids: readonly CellId[], hidden: boolean): void {
  each(doc, ids, (metadata) => {
    put(metadata, 'jupyter', { outputs_hidden: hidden || undefined })
    if (hidden) metadata.set('collapsed', true)
    else metadata.delete('collapsed')
  })
}

export function lock(doc: Y.Doc, ids: readonly CellId[], readOnly: boolean): void {
  each(doc, ids, (metadata) => {
    if (readOnly) metadata.set('editable', false)
    else metadata.delete('editable')
  })
}

function each(doc: Y.Doc, ids: readonly CellId[], change: (metadata: Y.Map<unknown>) => void): void {
  doc.transact(() => {
    for (const id of ids) {
      const cell = cellOf(doc, id)
      const metadata = cell && metadataOf(cell)
      if (metadata) change(metadata)
    }
  }, CELL_OPERATION)
}

/** Change keys of an object in the metadata; what is undefined goes, and so does an empty object. */
function put(metadata: Y.Map<unknown>, key: string, change: Readonly<Record<string, unknown>>): void {
  const next = Object.fromEntries(Object.entries({ ...record(metadata.get(key)), ...change }).filter(([, value]) => value !== undefined))
  if (Object.keys(next).length > 0) metadata.set(key, next)
  else metadata.delete(key)
}
