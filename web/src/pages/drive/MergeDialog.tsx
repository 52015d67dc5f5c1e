/** Asks what becomes of an uploaded notebook whose name another one here has already. */
import { t } from '../../i18n'
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
      title={t('Merge into the notebook that is here?')}
      description={t('There is a notebook “{name}” in this folder. Merged into it, the file changes what it has changed since you got it; where people changed the same, both versions are kept for you to choose.', { name })}
      actions={
        <>
          <Button weight="ghost" onClick={onCancel}>{t('Cancel')}</Button>
          <Button onClick={onKeepBoth}>{t('Keep both')}</Button>
          <Button weight="primary" onClick={onMerge}>{t('Merge into it')}</Button>
        </>
      }
    />
  )
}
