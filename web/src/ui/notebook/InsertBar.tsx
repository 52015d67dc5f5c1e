/** The thin line between cells that offers new ones, when pointed at or reached by keyboard. */
import { Plus } from 'lucide-react'
import { memo } from 'react'
import type { CellId } from '../../model/wire'
import { useDesk, useMay } from './hooks'

export const InsertBar = memo(function InsertBar({ after, last = false }: { after: CellId | null; last?: boolean }) {
  const desk = useDesk()
  const editable = useMay('write')
  if (!editable) return <div className="insert" />
  return (
    <div className={last ? 'insert insert-last' : 'insert'}>
      <span className="insert-line" />
      <button type="button" className="insert-button" aria-label="Insert code cell here" tabIndex={last ? 0 : -1} onClick={() => desk.insert('code', after)}>
        <Plus size={14} aria-hidden /> Code
      </button>
      <button type="button" className="insert-button" aria-label="Insert text cell here" tabIndex={last ? 0 : -1} onClick={() => desk.insert('markdown', after)}>
        <Plus size={14} aria-hidden /> Text
      </button>
      <span className="insert-line" />
    </div>
  )
})
