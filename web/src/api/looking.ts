/** What a notebook's kernel holds, and the code that ran in it. */
import { address, ask } from './client'
import type { Schemas } from './types'

export type Variable = Readonly<Schemas['VariableShown']>
export type Variables = Readonly<Schemas['VariablesShown']>
export type Table = Readonly<Schemas['TableShown']>
export type Column = Readonly<Schemas['ColumnShown']>
export type Rows = Readonly<Schemas['RowsShown']>
export type Statistics = Readonly<Schemas['StatisticsShown']>
export type Mark = Readonly<Schemas['MarkShown']>
export type Executed = Readonly<Schemas['ExecutedShown']>
export type ExecutedPage = Readonly<Schemas['ExecutedPage']>

export interface Sort {
  readonly column: number
  readonly descending: boolean
}
export type FilterOp = 'contains' | 'equals' | 'between' | 'null' | 'not_null'
export interface Filter {
  readonly column: number
  readonly op: FilterOp
  readonly text?: string
  readonly from?: string
  readonly to?: string
}
export interface View {
  readonly sort: readonly Sort[]
  readonly filters: readonly Filter[]
  readonly search: string
}
/** A table as it was when it had this mark, in a view. */
export interface Looked {
  readonly ref: string
  readonly mark: string
  readonly view: View
}
export interface VariablesWanted {
  readonly filter: string
  readonly sort: 'name' | 'type' | 'bytes'
  readonly descending: boolean
  readonly hidden: boolean
  readonly offset: number
  readonly limit: number
}

const at = (notebook: string, rest: string) => `/notebooks/${encodeURIComponent(notebook)}${rest}`

export const looking = {
  variables: (notebook: string, { offset, limit, ...wanted }: VariablesWanted) => ask<Variables>('GET', at(notebook, '/variables'), { query: { ...wanted, offset: String(offset), limit: String(limit) } }),
  remove: (notebook: string, name: string) => ask<void>('DELETE', at(notebook, '/variables'), { query: { name } }),
  open: (notebook: string, table: { readonly variable: string } | { readonly ref: string }) => ask<Table>('POST', at(notebook, '/tables'), { json: table }),
  rows: (notebook: string, looked: Looked, window: { readonly columns: readonly number[]; readonly offset: number; readonly limit: number; readonly long?: boolean; readonly spread?: boolean; readonly asker?: string }, signal?: AbortSignal) =>
    ask<Rows>('POST', at(notebook, '/tables/rows'), { json: { ...looked, ...window }, signal }),
  /** Let go what was asked in this name. */
  stop: (notebook: string, asker: string) => ask<void>('POST', at(notebook, '/tables/stop'), { json: { asker } }),
  statistics: (notebook: string, looked: Looked, column: number, signal?: AbortSignal) => ask<Statistics>('POST', at(notebook, '/tables/statistics'), { json: { ...looked, column }, signal }),
  mark: (notebook: string, ref: string) => ask<Mark>('POST', at(notebook, '/tables/mark'), { json: { ref } }),
  /** Where the browser fetches a view as a file. */
  file: (notebook: string, { ref, mark, view }: Looked, format: 'csv' | 'parquet', name: string) => address(at(notebook, `/tables/${encodeURIComponent(ref)}/file`), { format, name: name.slice(0, 100), mark, view: JSON.stringify(view) }),

  executed: (notebook: string, before: number | null, search: string) => ask<ExecutedPage>('GET', at(notebook, '/executed'), { query: { before: before === null ? null : String(before), search } }),
  source: async (notebook: string, execution: string) => (await ask<Schemas['ExecutedSource']>('GET', at(notebook, `/executed/${encodeURIComponent(execution)}`))).source,
} as const
