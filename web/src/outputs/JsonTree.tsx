/** A JSON value as a tree that opens level by level. */
import { Copy, Search } from 'lucide-react'
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react'
import { t, tn } from '../i18n'
import { FOUND_MAX, pathText, search, shortPath, type Step } from './jsonSearch'

const CHILDREN_SHOWN = 100
const OPEN_DEPTH = 1
const LEAF_CHARACTERS_MAX = 2000

function leaf(value: unknown): ReactNode {
  if (typeof value === 'string') return <LongString text={JSON.stringify(value)} />
  if (typeof value === 'number') return <span className="json-number">{String(value)}</span>
  return <span className="json-word">{String(value)}</span>
}

function LongString({ text }: { text: string }) {
  const [whole, setWhole] = useState(false)
  if (whole || text.length <= LEAF_CHARACTERS_MAX) return <span className="json-string">{text}</span>
  return (
    <>
      <span className="json-string">{text.slice(0, LEAF_CHARACTERS_MAX)}…</span>{' '}
      <button type="button" className="output-link" onClick={() => setWhole(true)}>
        {t('{count} more characters', { count: text.length - LEAF_CHARACTERS_MAX })}
      </button>
    </>
  )
}

function summary(value: object): string {
  return Array.isArray(value) ? `[${tn('{count} item', '{count} items', value.length)}]` : `{${tn('{count} key', '{count} keys', Object.keys(value).length)}}`
}

function CopyPath({ path }: { path: readonly Step[] }) {
  if (path.length === 0) return null
  const label = t('Copy path')
  return (
    <button
      type="button"
      className="json-copy"
      aria-label={`${label}: ${shortPath(path)}`}
      title={label}
      onClick={(event) => {
        // In a summary, a press would also open or close the node.
        event.preventDefault()
        void navigator.clipboard.writeText(pathText(path))
      }}
    >
      <Copy size={12} aria-hidden />
    </button>
  )
}

function Node({ name, value, path }: { name: string | null; value: unknown; path: readonly Step[] }) {
  const [open, setOpen] = useState(path.length < OPEN_DEPTH)
  const [shown, setShown] = useState(CHILDREN_SHOWN)
  const label = name === null ? null : <span className="json-key">{name}: </span>
  if (typeof value !== 'object' || value === null)
    return (
      <div className="json-leaf">
        {label}
        {leaf(value)}
        <CopyPath path={path} />
      </div>
    )
  return (
    <details className="json-node" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="json-summary">{summary(value)}</span>
        <CopyPath path={path} />
      </summary>
      {open && <Children value={value} path={path} shown={shown} onMore={() => setShown(shown + 10 * CHILDREN_SHOWN)} />}
    </details>
  )
}

function Children({ value, path, shown, onMore }: { value: object; path: readonly Step[]; shown: number; onMore: () => void }) {
  const keys = useMemo(() => Object.keys(value), [value])
  const list = Array.isArray(value)
  return (
    <div className="json-children">
      {keys.slice(0, shown).map((key) => (
        <Node key={key} name={key} value={(value as Readonly<Record<string, unknown>>)[key]} path={[...path, list ? Number(key) : key]} />
      ))}
      {keys.length > shown && (
        <button type="button" className="output-link" onClick={onMore}>
          {t('{count} more', { count: keys.length - shown })}
        </button>
      )}
    </div>
  )
}

/** `searched`: with a field that finds keys and values in it. */
export function JsonTree({ value, searched = false }: { value: unknown; searched?: boolean }) {
  const [words, setWords] = useState('')
  const asked = useDeferredValue(words.trim())
  const found = useMemo(() => (asked === '' ? null : search(value, asked)), [value, asked])
  const plain = typeof value !== 'object' || value === null
  return (
    <div className="json">
      {searched && !plain && (
        <label className="json-search">
          <Search size={14} aria-hidden />
          <input type="search" placeholder={t('Search')} aria-label={t('Search in this value')} value={words} onChange={(event) => setWords(event.target.value)} />
        </label>
      )}
      {found === null ? (
        <Node name={null} value={value} path={[]} />
      ) : (
        <>
          <p className="output-hint" role="status">
            {found.length >= FOUND_MAX ? t('The first {count} places', { count: FOUND_MAX }) : tn('{count} place', '{count} places', found.length)}
          </p>
          {found.map(({ path, value }) => (
            <Node key={pathText(path)} name={shortPath(path)} value={value} path={path} />
          ))}
        </>
      )}
    </div>
  )
}
