/** Goes to a cell by its number or by what its first line says. */
import { useMemo, useState } from 'react'
import { t } from '../../i18n'
import { cellOf, textOf, typeOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { Dialog } from '../kit'
import { useDesk } from './hooks'

/** More would only be scrolled past. */
const SHOWN_MAX = 100

export default function GoToCell({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={t('Go to cell')}>
      {open && <Cells onClose={onClose} />}
    </Dialog>
  )
}

interface Place {
  readonly cell: CellId
  readonly number: number
  readonly line: string
  readonly kind: string
}

function Cells({ onClose }: { onClose: () => void }) {
  const desk = useDesk()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  // What the cells said when it was opened: nobody types in them meanwhile but colleagues.
  const all = useMemo(
    () =>
      desk.outline.current().map((cell, index): Place => {
        const map = cellOf(desk.room.doc, cell)!
        const line = textOf(map).toString().split('\n').find((text) => text.trim() !== '') ?? ''
        return { cell, number: index + 1, line: line.trim(), kind: typeOf(map) === 'code' ? t('Code') : t('Text') }
      }),
    [desk],
  )
  const words = query.trim().toLowerCase()
  const found = all.filter(({ number, line }) => (/^\d+$/.test(words) ? String(number).startsWith(words) : line.toLowerCase().includes(words))).slice(0, SHOWN_MAX)
  const chosen = Math.min(at, found.length - 1)
  const go = (place: Place | undefined) => {
    if (!place) return
    onClose()
    // Once the dialog has given the focus back.
    setTimeout(() => desk.goTo(place.cell))
  }
  return (
    <div className="palette">
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="cells-found"
        aria-activedescendant={found[chosen] && `found-${found[chosen].cell}`}
        aria-label={t('Number or first line')}
        placeholder={t('Number or first line')}
        autoFocus
        className="field-control"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
          if (step !== 0) setAt((chosen + step + found.length) % Math.max(1, found.length))
          else if (event.key === 'Enter') go(found[chosen])
          else return
          event.preventDefault()
        }}
      />
      <ul id="cells-found" role="listbox" aria-label={t('Cells')}>
        {found.map((place, index) => (
          <li
            key={place.cell}
            id={`found-${place.cell}`}
            role="option"
            aria-selected={index === chosen}
            ref={(element) => {
              if (index === chosen) element?.scrollIntoView({ block: 'nearest' })
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => go(place)}
          >
            <span className="go-to-line">
              {place.number}. {place.line || t('Empty')}
            </span>
            <kbd>{place.kind}</kbd>
          </li>
        ))}
        {found.length === 0 && <li className="palette-none">{t('No cell has that number or line.')}</li>}
      </ul>
    </div>
  )
}
