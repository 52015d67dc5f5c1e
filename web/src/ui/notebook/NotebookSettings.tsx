/** What is set of one notebook, in the notebook itself: it goes with its file. */
import { t } from '../../i18n'
import { omitOutputs, omitsOutputs } from '../../model/omitting'
import { Button, Dialog } from '../kit'
import { Switch } from '../settings/rows'
import { useDesk, useMay, useMetadata } from './hooks'

export default function NotebookSettings({ open, onClose }: { open: boolean; onClose: () => void }) {
  const desk = useDesk()
  const mayWrite = useMay('write')
  const omitted = useMetadata(omitsOutputs)
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('Notebook settings')}
      actions={
        <Button weight="ghost" onClick={() => desk.open('runtime-type')}>
          {t('Change runtime type')}
        </Button>
      }
    >
      <Switch
        label={t('Omit code cell output when saving this notebook')}
        hint={t('Files, copies and revisions of it have no outputs. Who opens the notebook still sees them here.')}
        value={omitted}
        disabled={!mayWrite}
        onChange={(next) => omitOutputs(desk.room.doc, next)}
      />
    </Dialog>
  )
}
