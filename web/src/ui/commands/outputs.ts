/** What is done with what a cell put out. */
import { metadataOf } from '../../model/facts'
import { cellOf } from '../../model/notebook'
import { scrolledOf, scrollOutputs } from '../../model/scrolled'
import type { CellId, NotebookId, Output } from '../../model/wire'
import { canSaveAs, hasImage, mayHaveTable, type SaveAs } from '../../outputs/offers'
import { logAddress } from '../../outputs/values'
import { t } from '../../i18n'
import { notify, notifyError } from '../kit'
import type { Desk } from '../notebook/desk'
import { outputLook, turnWrap } from '../notebook/outputView'
import type { Command } from './model'

const here = (desk: Desk): CellId => desk.view.getState().focused ?? ''
const outputs = (desk: Desk): readonly Output[] => desk.session.run(here(desk))?.outputs ?? []
const some = (desk: Desk): boolean => outputs(desk).length > 0

/** Whether the outputs of a cell are in a box that scrolls; undefined: as the page thinks best. */
export const scrolled = (desk: Desk, cell: CellId): boolean | undefined => {
  const found = cellOf(desk.room.doc, cell)
  return found && scrolledOf(metadataOf(found))
}

type Saving = typeof import('../../outputs/saving')

function copy(what: (saving: Saving, notebook: NotebookId, outputs: readonly Output[]) => Promise<void>): Command['run'] {
  return (desk) => {
    const [notebook, now] = [desk.id, outputs(desk)]
    import('../../outputs/saving').then((saving) => what(saving, notebook, now)).then(
      () => notify({ title: t('Output copied'), kind: 'good' }),
      (error: unknown) => notifyError(t('The output could not be copied'), error),
    )
  }
}

function save(as: SaveAs, name: string): Command {
  return {
    id: `save-output-${as}`, name, menu: 'Edit', under: 'Save output as', group: 7,
    enabled: (desk) => canSaveAs(outputs(desk), as),
    run: (desk) => {
      const now = outputs(desk)
      import('../../outputs/saving').then((saving) => saving.saveAs(desk.id, now, as)).catch((error: unknown) => notifyError(t('The output could not be saved'), error))
    },
  }
}

export const OUTPUTS: readonly Command[] = [
  { id: 'full-output', name: 'View output full screen', menu: 'View', group: 6, cell: { group: 3, types: ['code'] }, enabled: some, run: (desk) => outputLook(desk).setState({ full: here(desk) }) },
  {
    id: 'scroll-output', name: 'Scroll long output', menu: 'View', group: 6, cell: { group: 3, types: ['code'] }, needs: 'write', enabled: some,
    checked: (desk) => scrolled(desk, here(desk)) === true,
    run: (desk) => scrollOutputs(desk.room.doc, desk.chosen, scrolled(desk, here(desk)) !== true),
  },
  {
    id: 'wrap-output', name: 'Wrap long lines of output', menu: 'View', group: 6, enabled: some,
    checked: (desk) => !outputLook(desk).getState().unwrapped.has(here(desk)),
    run: (desk) => turnWrap(desk, here(desk)),
  },
  { id: 'copy-output', name: 'Copy output as text', menu: 'Edit', group: 7, enabled: some, run: copy((saving, _, now) => saving.copyText(now)) },
  { id: 'copy-output-image', name: 'Copy output image', menu: 'Edit', group: 7, enabled: (desk) => hasImage(outputs(desk)), run: copy((saving, notebook, now) => saving.copyImage(notebook, now)) },
  { id: 'copy-output-table', name: 'Copy output table', menu: 'Edit', group: 7, enabled: (desk) => mayHaveTable(outputs(desk)), run: copy((saving, notebook, now) => saving.copyTable(notebook, now)) },
  save('txt', 'Text (.txt)'),
  save('png', 'Image (.png)'),
  save('svg', 'Drawing (.svg)'),
  save('jpg', 'Photo (.jpg)'),
  save('pdf', 'Document (.pdf)'),
  save('html', 'Web page (.html)'),
  save('csv', 'Table (.csv)'),
  save('json', 'Data (.json)'),
  {
    id: 'download-log', name: 'Download all that the cell printed', menu: 'Edit', group: 7,
    enabled: (desk) => some(desk) && desk.session.run(here(desk))?.execution.saved !== true,
    run: (desk) => {
      const run = desk.session.run(here(desk))
      if (!run) return
      const link = document.createElement('a')
      link.href = logAddress(desk.id, run.madeBy)
      link.download = ''
      link.click()
    },
  },
]
