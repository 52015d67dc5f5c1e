/** What there is to know of a folder, a file or a notebook. */
import { t } from '../../i18n'
import type { Item } from '../../api/types'
import NotebookDetails, { Details, when } from '../../ui/NotebookDetails'
import { Dialog } from '../../ui/kit'
import { sizeText } from './listing'

const KINDS = { folder: 'Folder', notebook: 'Notebook', file: 'File' } as const

export default function DetailsDialog({ item, onClose }: { item: Item | null; onClose: () => void }) {
  return (
    <Dialog open={item !== null} onClose={onClose} title={item?.name ?? ''}>
      {item?.kind === 'notebook' && <NotebookDetails notebook={item.id} />}
      {item !== null && item.kind !== 'notebook' && (
        <Details
          rows={[
            ['Kind', KINDS[item.kind]],
            ['Owner', item.owner.name],
            [t('Your role'), item.role],
            ...(item.kind === 'file' ? ([['Size', sizeText(item.size)]] as const) : []),
            ['Created', when(item.created_at)],
            ['Modified', when(item.modified_at)],
            ['Id', <code key="id">{item.id}</code>],
          ]}
        />
      )}
    </Dialog>
  )
}
