/** Finding and replacing in all cells, also in those that hold no editor now. */
import { t } from '../../i18n'
import { notifyError } from '../kit'
import type { Desk } from '../notebook/desk'
import type { Command } from './model'

function step(desk: Desk, by: -1 | 1): void {
  if (desk.chrome.getState().find === null) return desk.chrome.setState({ find: { replacing: false } })
  void import('../find/finder').then(({ finderOf }) => finderOf(desk).step(by), (error: unknown) => notifyError(t('This could not be loaded'), error))
}

export const FIND: readonly Command[] = [
  { id: 'find', name: 'Find…', menu: 'Edit', group: 6, keys: ['Mod+F'], harmless: true, run: (desk) => desk.chrome.setState({ find: { replacing: false } }) },
  { id: 'replace', name: 'Find and replace…', menu: 'Edit', group: 6, keys: ['Mod+H'], needs: 'write', run: (desk) => desk.chrome.setState({ find: { replacing: true } }) },
  { id: 'find-next', name: 'Find next', menu: 'Edit', group: 6, keys: ['Mod+G'], run: (desk) => step(desk, 1) },
  { id: 'find-previous', name: 'Find previous', menu: 'Edit', group: 6, keys: ['Mod+Shift+G'], run: (desk) => step(desk, -1) },
]
