/** The thin line between cells that offers new ones, when pointed at or reached by keyboard. */
import { Plus } from 'lucide-react'
import { memo, useState } from 'react'
import { t } from '../../i18n'
import type { CellId } from '../../model/wire'
import { useDesk, useMay } from './hooks'

interface InsertBarProps {
  /** The cell below it; null at the foot of the notebook. */
  readonly above: CellId | null
  /** The keyboard is near. Elsewhere the buttons are made when the pointer comes, which keeps long notebooks light. */
  readonly near: boolean
  readonly last?: boolean
}

export const InsertBar = memo(function InsertBar({ above, near, last = false }: InsertBarProps) {
  const desk = useDesk()
  const editable = useMay('write')
  const [pointed, setPointed] = useState(false)
  if (!editable) return null
  const insert = (type: 'code' | 'markdown') => {
    const order = desk.outline.current()
    desk.insert(type, (above === null ? order.at(-1) : order[order.indexOf(above) - 1]) ?? null)
  }
  return (
    <div className={last ? 'insert insert-last' : 'insert'} onPointerEnter={() => setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {(near || pointed) && (
        <>
          <span className="insert-line" />
          <button type="button" className="insert-button" aria-label={t('Insert code cell here')} onClick={() => insert('code')}>
            <Plus size={14} aria-hidden /> {t('Code')}
          </button>
          <button type="button" className="insert-button" aria-label={t('Insert text cell here')} onClick={() => insert('markdown')}>
            <Plus size={14} aria-hidden /> {t('Text')}
          </button>
          <span className="insert-line" />
        </>
      )}
    </div>
  )
})
