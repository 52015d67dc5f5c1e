/** The thin line between cells that offers new ones, when pointed at or reached by keyboard. */
import { Plus } from 'lucide-react'
import { memo, useState } from 'react'
import type { CellId } from '../../model/wire'
import { useDesk, useMay } from './hooks'

interface InsertBarProps {
  readonly after: CellId | null
  /** The keyboard is near. Elsewhere the buttons are made when the pointer comes, which keeps long notebooks light. */
  readonly near: boolean
  readonly last?: boolean
}

export const InsertBar = memo(function InsertBar({ after, near, last = false }: InsertBarProps) {
  const desk = useDesk()
  const editable = useMay('write')
  const [pointed, setPointed] = useState(false)
  if (!editable) return null
  return (
    <div className={last ? 'insert insert-last' : 'insert'} onPointerEnter={() => setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {(near || pointed) && (
        <>
          <span className="insert-line" />
          <button type="button" className="insert-button" aria-label="Insert code cell here" onClick={() => desk.insert('code', after)}>
            <Plus size={14} aria-hidden /> Code
          </button>
          <button type="button" className="insert-button" aria-label="Insert text cell here" onClick={() => desk.insert('markdown', after)}>
            <Plus size={14} aria-hidden /> Text
          </button>
          <span className="insert-line" />
        </>
      )}
    </div>
  )
})
