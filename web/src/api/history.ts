/** The history of notebooks, as the server tells it. */
import { ask } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Revision = Schemas['RevisionShown']
export type RevisionPreview = Schemas['RevisionPreview']
export type PastCell = Schemas['CellShown']
export type Difference = Schemas['DifferenceShown']
export type CellDifference = Schemas['CellDifferenceShown']
export type CellVersion = Schemas['CellVersionShown']
export type Author = Schemas['WriterShown']

/** A revision's number, or the present. */
export type Which = number | 'now'

const of = (notebook: string) => `/notebooks/${encodeURIComponent(notebook)}`

export const history = {
  list: (notebook: string, before: number | null) =>
    ask<Schemas['RevisionsShown']>('GET', `${of(notebook)}/revisions`, { query: { before: before === null ? null : String(before) } }),
  save: (notebook: string, label: string) => ask<Revision>('POST', `${of(notebook)}/revisions`, { json: { label } satisfies Schemas['RevisionNew'] }),
  change: (notebook: string, number: number, change: Schemas['RevisionChange']) =>
    ask<Revision>('PATCH', `${of(notebook)}/revisions/${number}`, { json: change }),
  preview: (notebook: string, number: number) => ask<RevisionPreview>('GET', `${of(notebook)}/revisions/${number}`),
  diff: (notebook: string, from: Which, to: Which) => ask<Difference>('GET', `${of(notebook)}/diff`, { query: { from: String(from), to: String(to) } }),
  cell: (notebook: string, cell: string) => ask<CellVersion[]>('GET', `${of(notebook)}/cells/${encodeURIComponent(cell)}/history`),
  restore: (notebook: string, number: number, wanted: Schemas['Restore']) =>
    ask<Schemas['RestoreDone']>('POST', `${of(notebook)}/revisions/${number}/restore`, { json: wanted }),
  undo: (notebook: string, number: number) => ask<Schemas['RestoreUndone']>('POST', `${of(notebook)}/revisions/${number}/undo`),
  compare: (before: unknown, after: unknown) => ask<Difference>('POST', '/diff', { json: { before, after } }),
}
