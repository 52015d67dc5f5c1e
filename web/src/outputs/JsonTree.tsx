/** A JSON value as a tree that opens level by level. */
import { type ReactNode, useState } from 'react'

const CHILDREN_SHOWN = 100
const OPEN_DEPTH = 1

function leaf(value: unknown): ReactNode {
  if (typeof value === 'string') return <span className="json-string">{JSON.stringify(value)}</span>
  if (typeof value === 'number') return <span className="json-number">{String(value)}</span>
  return <span className="json-word">{String(value)}</span>
}

function summary(value: object): string {
  const count = Array.isArray(value) ? value.length : Object.keys(value).length
  const things = Array.isArray(value) ? (count === 1 ? 'item' : 'items') : count === 1 ? 'key' : 'keys'
  return Array.isArray(value) ? `[${count} ${things}]` : `{${count} ${things}}`
}

function Node({ name, value, depth }: { name: string | null; value: unknown; depth: number }) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH)
  const [shown, setShown] = useState(CHILDREN_SHOWN)
  const label = name === null ? null : <span className="json-key">{name}: </span>
  if (typeof value !== 'object' || value === null)
    return (
      <div className="json-leaf">
        {label}
        {leaf(value)}
      </div>
    )
  const entries = Object.entries(value)
  return (
    <details className="json-node" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="json-summary">{summary(value)}</span>
      </summary>
      {open && (
        <div className="json-children">
          {entries.slice(0, shown).map(([key, child]) => (
            <Node key={key} name={key} value={child} depth={depth + 1} />
          ))}
          {entries.length > shown && (
            <button type="button" className="output-link" onClick={() => setShown(shown + 10 * CHILDREN_SHOWN)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </details>
  )
}

export function JsonTree({ value }: { value: unknown }) {
  return (
    <div className="json">
      <Node name={null} value={value} depth={0} />
    </div>
  )
}
