/** Goes to a cell by its number or by what its first line says. */
import { useMemo, useState } from 'react'
import { t } from '../../i18n'
import { cellOf, textOf, typeOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { Dialog } from '../kit'
import { Picker } from '../kit/Picker'
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
  readonly key: string
  readonly cell: CellId
  readonly number: number
  readonly line: string
  readonly kind: string
}

function Cells({ onClose }: { onClose: () => void }) {
  const desk = useDesk()
  const [query, setQuery] = useState('')
  // What the cells said when it was opened: nobody types in them meanwhile but colleagues.
  const all = useMemo(
    () =>
      desk.outline.current().map((cell, index): Place => {
        const map = cellOf(desk.room.doc, cell)!
        const line = textOf(map).toString().split('\n').find((text) => text.trim() !== '') ?? ''
        return { key: cell, cell, number: index + 1, line: line.trim(), kind: typeOf(map) === 'code' ? t('Code') : t('Text') }
      }),
    [desk],
  )
  const words = query.trim().toLowerCase()
  const found = all.filter(({ number, line }) => (/^\d+$/.test(words) ? String(number).startsWith(words) : line.toLowerCase().includes(words))).slice(0, SHOWN_MAX)
  const go = ({ cell }: Place) => {
    onClose()
    // Once the dialog has given the focus back.
    setTimeout(() => desk.goTo(cell))
  }
  return (
    <Picker
      label={t('Number or first line')}
      placeholder={t('Number or first line')}
      list={t('Cells')}
      query={query}
      onQuery={setQuery}
      found={found}
      onPick={go}
      none={t('No cell has that number or line.')}
    >
      {({ number, line, kind }) => (
        <>
          <span className="go-to-line">
            {number}. {line || t('Empty')}
          </span>
          <kbd>{kind}</kbd>
        </>
      )}
    </Picker>
  )
}
