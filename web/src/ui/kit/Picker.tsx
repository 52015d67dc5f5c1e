/** One of many by a few letters: a field, and under it what fits, gone through with the arrows while one types. */
import './picker.css'
import { type HTMLAttributes, type ReactNode, useId, useState } from 'react'

export interface PickerProps<One extends { readonly key: string }> {
  /** What the field is called. */
  readonly label: string
  readonly placeholder: string
  /** What the list is called. */
  readonly list: string
  readonly query: string
  readonly onQuery: (query: string) => void
  /** What fits what was typed, the best first. */
  readonly found: readonly One[]
  readonly onPick: (one: One) => void
  /** Said when nothing fits. */
  readonly none: string
  readonly children: (one: One) => ReactNode
  /** More of an entry: its class, and what tells tests and styles about it. */
  readonly entry?: (one: One, before: One | undefined) => HTMLAttributes<HTMLLIElement> & Readonly<Record<`data-${string}`, unknown>>
}

const PAGE = 8

export function Picker<One extends { readonly key: string }>({ label, placeholder, list, query, onQuery, found, onPick, none, children, entry }: PickerProps<One>) {
  const id = useId()
  const [at, setAt] = useState(0)
  const chosen = Math.min(at, found.length - 1)
  const pick = (one: One | undefined) => one && onPick(one)
  return (
    <div className="picker">
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found[chosen] && `${id}-${found[chosen].key}`}
        aria-label={label}
        placeholder={placeholder}
        autoFocus
        autoComplete="off"
        spellCheck={false}
        className="field-control"
        value={query}
        onChange={(event) => {
          onQuery(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const next = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + PAGE, PageUp: chosen - PAGE }[event.key]
          if (next !== undefined) setAt(event.key.startsWith('Page') ? Math.max(0, Math.min(found.length - 1, next)) : (next + found.length) % Math.max(1, found.length))
          else if (event.key === 'Enter') pick(found[chosen])
          else return
          event.preventDefault()
        }}
      />
      <ul id={id} role="listbox" aria-label={list}>
        {found.map((one, index) => (
          <li
            key={one.key}
            id={`${id}-${one.key}`}
            role="option"
            aria-selected={index === chosen}
            {...entry?.(one, found[index - 1])}
            ref={(element) => {
              if (index === chosen) element?.scrollIntoView({ block: 'nearest' })
            }}
            // A list that moves under a mouse that rests is told of as a movement, too.
            onPointerMove={({ movementX, movementY }) => (movementX !== 0 || movementY !== 0) && setAt(index)}
            onClick={() => pick(one)}
          >
            {children(one)}
          </li>
        ))}
      </ul>
      <p className="picker-none" role="status">
        {found.length === 0 && none}
      </p>
    </div>
  )
}
