/** Asks what becomes of an uploaded notebook whose name another one here has already. */
import { Button, Dialog } from '../../ui/kit'

interface MergeDialogProps {
  readonly name: string
  readonly onMerge: () => void
  readonly onKeepBoth: () => void
  readonly onCancel: () => void
}

export default function MergeDialog({ name, onMerge, onKeepBoth, onCancel }: MergeDialogProps) {
  return (
    <Dialog
      open
      onClose={onCancel}
      title="Merge into the notebook that is here?"
      description={<>There is a notebook “{name}” in this folder. Merged into it, the file changes what it has changed since you got it; where people changed the same, both versions are kept for you to choose.</>}
      actions={
        <>
          <Button weight="ghost" onClick={onCancel}>Cancel</Button>
          <Button onClick={onKeepBoth}>Keep both</Button>
          <Button weight="primary" onClick={onMerge}>Merge into it</Button>
        </>
      }
    />
  )
}
