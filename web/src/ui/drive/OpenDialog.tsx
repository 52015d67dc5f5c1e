/** Opens another notebook: what was opened lately, or what a search over names and cells finds. */
import { Upload } from 'lucide-react'
import { Link } from 'wouter'
import { t } from '../../i18n'
import { Button, Dialog } from '../kit'
import { NotebookList } from './NotebookList'

interface OpenDialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly onUpload: () => void
}

export default function OpenDialog({ open, onClose, onUpload }: OpenDialogProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('Open notebook')}
      actions={
        <Button
          weight="soft"
          icon={<Upload size={16} aria-hidden />}
          onClick={() => {
            onClose()
            onUpload()
          }}
        >
          {t('Upload a file')}
        </Button>
      }
    >
      {open && (
        <NotebookList>
          {({ id }, shown) => (
            <Link href={`/notebooks/${id}`} onClick={onClose}>
              {shown}
            </Link>
          )}
        </NotebookList>
      )}
    </Dialog>
  )
}
