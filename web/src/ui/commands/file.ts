/** The File menu: the notebook as a thing in the drive. */
import { navigate } from 'wouter/use-browser-location'
import { t } from '../../i18n'
import { downloadAddress } from '../../api/client'
import { notifyError } from '../kit'
import type { Desk } from '../notebook/desk'
import { saySaved } from '../notebook/saved'
import type { Command } from './model'

type Format = 'ipynb' | 'py' | 'html' | 'md'

const known = (desk: Desk): boolean => desk.me.id !== 'guest'
const owner = (desk: Desk): boolean => desk.room.state.getState().role === 'owner' && desk.room.state.getState().playgroundOf === null

/** What few people do, and later than at once. */
const filing = (act: (filing: typeof import('../notebook/filing'), desk: Desk) => void) => (desk: Desk) =>
  void import('../notebook/filing').then((module) => act(module, desk), (error: unknown) => notifyError(t('This could not be loaded'), error))

function download(desk: Desk, format: Format): void {
  const base = downloadAddress({ id: desk.id, kind: 'notebook' })!
  const link = document.createElement('a')
  link.href = base.replace('format=ipynb', `format=${format}&download=true`)
  link.download = ''
  link.click()
}

const downloadAs = (id: string, format: Format): Command => ({
  id, name: `Download .${format}`, menu: 'File', under: 'Download', group: 5, enabled: (desk) => format === 'ipynb' || known(desk), run: (desk) => download(desk, format),
})

export const FILE: readonly Command[] = [
  { id: 'locate', name: 'Locate in drive', menu: 'File', group: 1, enabled: known, run: filing(({ locate }, desk) => locate(desk)) },
  { id: 'playground', name: 'Open in playground', menu: 'File', group: 1, enabled: (desk) => known(desk) && desk.room.state.getState().playgroundOf === null, run: (desk) => desk.playground(null) },
  { id: 'new-notebook', name: 'New notebook', menu: 'File', group: 2, enabled: known, run: filing(({ create }) => create()) },
  { id: 'open', name: 'Open notebook…', menu: 'File', group: 2, keys: ['Mod+O'], everywhere: true, enabled: known, run: (desk) => desk.open('open') },
  { id: 'search', name: 'Search notebooks', menu: 'File', group: 2, enabled: known, run: () => navigate('/drive/search') },
  { id: 'upload', name: 'Upload notebook…', menu: 'File', group: 2, enabled: known, run: filing(({ upload }) => upload()) },
  { id: 'rename', name: 'Rename', menu: 'File', group: 3, keys: ['F2'], outside: true, needs: 'write', run: (desk) => desk.chrome.setState({ renaming: true }) },
  { id: 'move-file', name: 'Move…', menu: 'File', group: 3, enabled: owner, run: (desk) => desk.open('move') },
  { id: 'trash', name: 'Move to trash…', menu: 'File', group: 3, enabled: owner, run: (desk) => desk.open('trash') },
  { id: 'save-copy', name: 'Save a copy', menu: 'File', group: 4, enabled: known, run: filing(({ saveCopy }, desk) => saveCopy(desk)) },
  { id: 'save', name: 'Save', menu: 'File', group: 4, keys: ['Mod+S'], everywhere: true, harmless: true, run: saySaved },
  { id: 'save-revision', name: 'Save and pin revision', menu: 'File', group: 4, keys: ['Mod+M S', 'Mod+Alt+S'], needs: 'write', run: (desk) => desk.open('revision') },
  { id: 'history', name: 'Revision history', menu: 'File', group: 4, needs: 'write', checked: (desk) => desk.chrome.getState().history, run: (desk) => desk.showHistory(!desk.chrome.getState().history) },
  { id: 'info', name: 'Notebook info', menu: 'File', group: 4, enabled: known, run: (desk) => desk.open('info') },
  { id: 'merge-file', name: 'Upload and merge a version…', menu: 'File', group: 4, needs: 'write', run: (desk) => void import('../overlaps/upload').then(({ mergeVersion }) => mergeVersion(desk), (error: unknown) => notifyError(t('This could not be loaded'), error)) },
  downloadAs('download', 'ipynb'),
  downloadAs('download-py', 'py'),
  downloadAs('download-html', 'html'),
  downloadAs('download-md', 'md'),
  { id: 'print', name: 'Print…', menu: 'File', group: 5, keys: ['Mod+P'], run: filing(({ print }) => void print()) },
]
