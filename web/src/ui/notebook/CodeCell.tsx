/** A code cell: run button, source, and what the last run left. */
import type { Ref } from 'react'
import { CellOutputs } from '../../outputs/CellOutputs'
import type { CellMap } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { useDesk, useRun } from './hooks'
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
  if (!run) return null
  const { execution, outputs, live } = run
  if (outputs.length === 0 && !execution.input && !execution.reason) return null
  return (
    <section className="output" aria-label="Output">
      <CellOutputs
        notebook={desk.id}
        cell={id}
        execution={execution}
        outputs={outputs}
        live={live}
        onInput={(value) => desk.session.answer(execution.execution, value)}
        onClear={() => desk.session.clear([id])}
      />
    </section>
  )
}
