/** Asks for the name of a revision that is kept for ever. */
import { t } from '../../i18n'
import { history } from '../../api/history'
import { NameDialog, notify } from '../kit'
import { useDesk } from '../notebook/hooks'
import { momentOf } from './words'

export default function RevisionDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const desk = useDesk()
  return (
    <NameDialog
      open={open}
      onClose={onClose}
      title={t('Save and pin revision')}
      label={t('Name')}
      initial={momentOf(Date.now())}
      submit={t('Save')}
      onSubmit={async (label) => {
        await history.save(desk.id, label)
        notify({ title: t('Revision saved and pinned'), kind: 'good', action: { label: t('Show'), run: () => desk.showHistory(true) } })
      }}
    />
  )
}
