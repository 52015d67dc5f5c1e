/** Everything one cell put out, and the line in which it asks for input. */
import type { CellId, Execution, NotebookId, Output } from '../model/wire'

export interface CellOutputsProps {
  readonly notebook: NotebookId
  readonly cell: CellId
  readonly execution: Execution | null
  readonly outputs: readonly Output[]
  /** Made by a run here. Scripts in outputs that only came with the file wait for a click. */
  readonly live: boolean
  readonly onInput: (value: string) => void
  readonly onClear?: () => void
}

export function CellOutputs({ outputs }: CellOutputsProps) {
  return <pre>{JSON.stringify(outputs)}</pre>
}
