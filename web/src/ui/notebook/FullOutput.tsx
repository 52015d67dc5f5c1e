/** A cell's outputs on the whole screen. */
import { t } from '../../i18n'
import { CellOutputs, type CellOutputsProps } from '../../outputs/CellOutputs'
import { Dialog } from '../kit'

export default function FullOutput({ onClose, ...shown }: CellOutputsProps & { readonly onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={t('Output')} wide>
      <div className="output-full">
        <CellOutputs {...shown} />
      </div>
    </Dialog>
  )
}
