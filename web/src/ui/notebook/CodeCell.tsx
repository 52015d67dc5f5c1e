/** A code cell: run button, source, and what the last run left. */
import { CircleAlert } from 'lucide-react'
import type { Ref } from 'react'
import { CellOutputs } from '../../outputs/CellOutputs'
import type { CellMap } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { Contained } from './Contained'
import { useDesk, useMay, useRun } from './hooks'
import { RunButton } from './RunButton'
import { Source, type SourceHandle } from './Source'

interface CodeCellProps {
  readonly id: CellId
  readonly cell: CellMap
  readonly source: Ref<SourceHandle>
  readonly leave: () => void
}

export function CodeCell({ id, cell, source, leave }: CodeCellProps) {
  return (
    <div className="cell-row">
      <div className="cell-gutter">
        <RunButton id={id} />
      </div>
      <div className="cell-body">
        <Source id={id} cell={cell} language="python" leave={leave} ref={source} />
        <Outputs id={id} />
      </div>
    </div>
  )
}

function Outputs({ id }: { id: CellId }) {
  const desk = useDesk()
  const run = useRun(id)
  const may = useMay('run')
  if (!run) return null
  const { execution, outputs, live, madeBy } = run
  const told = outputs.some((output) => output.output_type === 'error' && output.evalue === execution.reason)
  const ended = (execution.state === 'failed' || execution.state === 'cancelled') && !told
  const past = madeBy !== execution.execution && execution.state === 'running'
  return (
    <div className={past ? 'output output-past' : 'output'}>
      <Contained of={outputs} what="This output">
        <CellOutputs
          notebook={desk.id}
          cell={id}
          execution={{ ...execution, execution: madeBy }}
          outputs={outputs}
          live={live}
          onInput={(value) => desk.session.answer(execution.execution, value)}
          onClear={may ? () => desk.session.clear([id]) : undefined}
        />
      </Contained>
      {ended && execution.reason && (
        <p className="output-reason">
          <CircleAlert size={16} aria-hidden /> {execution.reason}
        </p>
      )}
    </div>
  )
}
