/** What there is to know of a folder, a file or a notebook. */
import { msg, t } from '../../i18n'
import { at } from '../../i18n/formats'
import type { Item } from '../../api/types'
import NotebookDetails, { Details } from '../../ui/NotebookDetails'
import { Dialog } from '../../ui/kit'
import { roleName } from '../../ui/sharing/words'
import { sizeText } from './listing'

const KINDS = { folder: msg('Folder'), notebook: msg('Notebook'), file: msg('File') } as const

export default function DetailsDialog({ item, onClose }: { item: Item | null; onClose: () => void }) {
  return (
    <Dialog open={item !== null} onClose={onClose} title={item?.name ?? ''}>
      {item?.kind === 'notebook' && <NotebookDetails notebook={item.id} />}
      {item !== null && item.kind !== 'notebook' && (
        <Details
          rows={[
            [t('Kind'), t(KINDS[item.kind])],
            [t('Owner'), item.owner.name],
            [t('Your role'), roleName(item.role)],
            ...(item.kind === 'file' ? ([[t('Size'), sizeText(item.size)]] as const) : []),
            [t('Created'), at('moment', item.created_at)],
            [t('Modified'), at('moment', item.modified_at)],
            [t('Id'), <code key="id">{item.id}</code>],
          ]}
        />
      )}
    </Dialog>
  )
}
