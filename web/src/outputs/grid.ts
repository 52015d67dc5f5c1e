/** A table as data, read from what a stranger sent. */
import { byWord } from '../i18n/formats'

export interface Grid {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

const COLUMNS_MAX = 500

/** A Frictionless table resource (`{schema: {fields}, data}`) as a grid; null when it is none. */
export function resourceGrid(value: unknown): Grid | null {
  let resource = value
  if (typeof value === 'string') {
    try {
      resource = JSON.parse(value)
    } catch {
      // Cut short, or not JSON: no table.
      return null
    }
  }
  if (typeof resource !== 'object' || resource === null) return null
  const { data, schema } = resource as { data?: unknown; schema?: { fields?: unknown } | null }
  if (!Array.isArray(data)) return null
  const fields = Array.isArray(schema?.fields) ? schema.fields : null
  const first: unknown = data[0]
  const names = fields?.map((field: unknown) => String((field as { name?: unknown } | null)?.name ?? '')) ?? (typeof first === 'object' && first !== null ? Object.keys(first) : [])
  const columns = names.slice(0, COLUMNS_MAX)
  const rows = data.map((row: unknown): readonly unknown[] => {
    if (Array.isArray(row)) return row
    if (typeof row !== 'object' || row === null) return [row]
    return columns.map((name) => (Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : null))
  })
  return { columns, rows }
}

/** By one column; numbers as numbers, what is empty last. The order of equals stays. */
export function ordered(rows: Grid['rows'], column: number, down: boolean): Grid['rows'] {
  const empty = (value: unknown) => value === null || value === undefined || value === ''
  const numeric = rows.every((row) => empty(row[column]) || Number.isFinite(Number(row[column])))
  const way = down ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [a[column], b[column]]
    if (empty(x) || empty(y)) return Number(empty(x)) - Number(empty(y))
    return way * (numeric ? Number(x) - Number(y) : byWord(String(x), String(y)))
  })
}
