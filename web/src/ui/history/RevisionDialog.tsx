/** Asks for the name of a revision that is kept for ever. */
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
      title="Save and pin revision"
      label="Name"
      initial={momentOf(Date.now())}
      submit="Save"
      onSubmit={async (label) => {
        await history.save(desk.id, label)
        notify({ title: 'Revision saved and pinned', kind: 'good', action: { label: 'Show', run: () => desk.showHistory(true) } })
      }}
    />
  )
}
