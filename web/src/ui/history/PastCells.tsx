/** Cells as they were: to be read, and each to be brought back. */
import '../notebook/cell.css'
import { t } from '../../i18n'
import type { PastCell } from '../../api/history'
import type { Grammar } from '../../editor/editor'
import type { MimeBundle, Output } from '../../model/wire'
import { CellOutputs } from '../../outputs/CellOutputs'
import { Markdown } from '../../outputs/Markdown'
import { Button } from '../kit'
import { Contained } from '../notebook/Contained'
import { StillSource } from './StillSource'

interface PastCellsProps {
  readonly notebook: string
  readonly cells: readonly PastCell[]
  readonly grammar: Grammar
  readonly onRestore: (cell: string) => void
}

export function PastCells({ notebook, cells, grammar, onRestore }: PastCellsProps) {
  return (
    <div className="notebook-page">
      <div role="list" aria-label={t('Cells of the revision')} className="cells">
        {cells.map((cell) => (
          <div key={cell.id} role="listitem" className={`cell past-cell cell-${cell.type}`} aria-label={cell.type === 'code' ? t('Code cell') : t('Text cell')}>
            <div className="cell-row">
              <div className="cell-gutter">{cell.type === 'code' && <span className="past-count">[{cell.execution_count ?? ' '}]</span>}</div>
              <div className="cell-body">
                <Body cell={cell} grammar={grammar} />
                <Shown notebook={notebook} cell={cell.id} outputs={cell.outputs as readonly object[] as readonly Output[]} />
              </div>
            </div>
            <Button small weight="outline" className="past-restore" onClick={() => onRestore(cell.id)}>
              {t('Restore this cell')}
            </Button>
          </div>
        ))}
        {cells.length === 0 && <p className="cells-none">{t('The notebook was empty.')}</p>}
      </div>
    </div>
  )
}

function Body({ cell, grammar }: { cell: PastCell; grammar: Grammar }) {
  if (cell.type === 'markdown')
    return (
      <div className="text-shown">
        <Contained of={cell} what={t('This text')}>
          <Markdown source={cell.source} attachments={cell.attachments as Readonly<Record<string, MimeBundle>>} />
        </Contained>
      </div>
    )
  return <StillSource source={cell.source} grammar={cell.type === 'code' ? grammar : 'plain'} />
}

/** Outputs of the past are strangers as those of now are; nothing of them reaches a kernel. */
export function Shown({ notebook, cell, outputs }: { notebook: string; cell: string; outputs: readonly Output[] }) {
  if (outputs.length === 0) return null
  return (
    <div className="output">
      <Contained of={outputs} what={t('This output')}>
        <CellOutputs notebook={notebook} cell={cell} execution={null} outputs={outputs} live={false} onInput={() => undefined} />
      </Contained>
    </div>
  )
}
