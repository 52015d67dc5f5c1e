/** What is put beside the cells. */
import { t } from '../../i18n'
import { cellOf, textOf } from '../../model/notebook'
import { notifyError } from '../kit'
import type { Desk } from '../notebook/desk'
import { type Command, focused } from './model'

/** The scratch cell's own code comes when it is first wanted. */
function copyToScratch(desk: Desk): void {
  const cell = cellOf(desk.room.doc, desk.view.getState().focused!)
  if (!cell) return
  const source = textOf(cell).toString()
  void import('../beside/scratch').then(
    ({ scratchOf }) => {
      const { text } = scratchOf(desk)
      text.delete(0, text.length)
      text.insert(0, source)
      desk.beside({ scratch: true })
    },
    (error: unknown) => notifyError(t('This could not be loaded'), error),
  )
}

export const BESIDE: readonly Command[] = [
  {
    id: 'mirror', name: 'Mirror cell in a tab', menu: 'View', group: 6, cell: { group: 4 }, enabled: focused,
    run: (desk) => {
      const { mirrors } = desk.chrome.getState().beside
      const cell = desk.view.getState().focused!
      if (!mirrors.includes(cell)) desk.beside({ mirrors: [...mirrors, cell] })
    },
  },
  {
    id: 'scratch', name: 'Scratch code cell', menu: 'Insert', group: 4, keys: ['Mod+Alt+N'], needs: 'run', checked: (desk) => desk.chrome.getState().beside.scratch,
    run: (desk) => desk.beside({ scratch: !desk.chrome.getState().beside.scratch }),
  },
  { id: 'copy-to-scratch', name: 'Copy to scratch cell', menu: 'Edit', group: 5, cell: { group: 4, types: ['code'] }, needs: 'run', enabled: focused, run: copyToScratch },
]
