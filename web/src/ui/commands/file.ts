/** The File menu: the notebook as a thing in the drive. */
import { downloadAddress } from '../../api/client'
import { notifyError } from '../kit'
import type { Desk } from '../notebook/desk'
import type { Command } from './model'

function download(desk: Desk, format: 'ipynb' | 'py'): void {
  const base = downloadAddress({ id: desk.id, kind: 'notebook' })!
  const link = document.createElement('a')
  link.href = base.replace('format=ipynb', `format=${format}`)
  link.download = ''
  link.click()
}

export const FILE: readonly Command[] = [
  { id: 'rename', name: 'Rename', menu: 'File', group: 2, keys: ['F2'], needs: 'write', run: (desk) => desk.chrome.setState({ renaming: true }) },
  { id: 'save-revision', name: 'Save and pin revision', menu: 'File', group: 2, keys: ['Mod+Alt+S'], needs: 'write', run: (desk) => desk.open('revision') },
  { id: 'history', name: 'Revision history', menu: 'File', group: 2, needs: 'write', checked: (desk) => desk.chrome.getState().history, run: (desk) => desk.showHistory(!desk.chrome.getState().history) },
  { id: 'playground', name: 'Open in playground', menu: 'File', group: 2, enabled: (desk) => desk.me.id !== 'guest' && desk.room.state.getState().playgroundOf === null, run: (desk) => desk.playground(null) },
  { id: 'info', name: 'Notebook info', menu: 'File', group: 2, enabled: (desk) => desk.me.id !== 'guest', run: (desk) => desk.open('info') },
  { id: 'merge-file', name: 'Upload and merge a version…', menu: 'File', group: 3, needs: 'write', run: (desk) => void import('../overlaps/upload').then(({ mergeVersion }) => mergeVersion(desk), (error: unknown) => notifyError('This could not be loaded', error)) },
  { id: 'download', name: 'Download .ipynb', menu: 'File', group: 3, run: (desk) => download(desk, 'ipynb') },
  { id: 'download-py', name: 'Download .py', menu: 'File', group: 3, run: (desk) => download(desk, 'py') },
  { id: 'trash', name: 'Move to trash', menu: 'File', group: 4, enabled: (desk) => desk.room.state.getState().role === 'owner' && desk.room.state.getState().playgroundOf === null, run: (desk) => desk.open('trash') },
]
