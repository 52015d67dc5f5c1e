/** The dialogs of a notebook, each over what the command table or the API says. */
import { useCallback, useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { api } from '../../api/client'
import type { Item } from '../../api/types'
import { t } from '../../i18n'
import { ConfirmDialog, Dialog, later, notifyError } from '../kit'
import { cellOf, textOf } from '../../model/notebook'
import { NAME_MAX, type OwnSnippet } from '../snippets/own'
import type { Desk } from './desk'
import { upload } from './filing'
import { useChrome, useDesk, useRoom } from './hooks'

const ShareDialog = later(() => import('../sharing/ShareDialog'))
const RuntimeTypeDialog = later(() => import('../resources/RuntimeTypeDialog'))
const SessionsDialog = later(() => import('../resources/SessionsDialog'))
const RuntimeLog = later(() => import('../resources/RuntimeLog'))
const NotebookSettings = later(() => import('./NotebookSettings'))
const SnippetDialog = later(() => import('../snippets/SnippetDialog'))
const NotebookDetails = later(() => import('../NotebookDetails'))
const RevisionDialog = later(() => import('../history/RevisionDialog'))
/** The dialog stands where the list will want it, before the list is here. */
const Palette = later(() => import('../commands/Palette'), <div className="picker" />)
const KeyEditor = later(() => import('../settings/KeyEditor'))
const OpenDialog = later(() => import('../drive/OpenDialog'))
const MoveDialog = later(() => import('../drive/MoveDialog'))
const Reading = later(() => import('../help/Reading'))
const About = later(() => import('../help/About'))
const ProblemReport = later(() => import('../help/ProblemReport'))
const GoToCell = later(() => import('./GoToCell'))
const FieldDialog = later(() => import('../forms/FieldDialog'))
const EnvironmentDialog = later(() => import('../resources/EnvironmentDialog'))

export default function Dialogs() {
  const desk = useDesk()
  const dialog = useChrome((chrome) => chrome.dialog)
  const name = useRoom((state) => state.name)
  const [, navigate] = useLocation()
  const close = useCallback(() => desk.open(null), [desk])
  return (
    <>
      <ShareDialog item={dialog === 'share' ? { id: desk.id, name, kind: 'notebook' } : null} onClose={close} />
      <Dialog open={dialog === 'shortcuts'} onClose={close} title={t('Keyboard shortcuts')} wide>
        <KeyEditor focused />
      </Dialog>
      <Dialog open={dialog === 'palette'} onClose={close} title={t('Commands')}>
        <Palette />
      </Dialog>
      <OpenDialog open={dialog === 'open'} onClose={close} onUpload={upload} />
      {dialog === 'move' && <Move onClose={close} />}
      <Dialog open={dialog === 'questions'} onClose={close} title={t('Frequently asked questions')} wide>
        <Reading text="questions" />
      </Dialog>
      <Dialog open={dialog === 'release-notes'} onClose={close} title={t('Release notes')} wide>
        <Reading text="release-notes" />
      </Dialog>
      <Dialog open={dialog === 'bug'} onClose={close} title={t('Report a problem')}>
        <ProblemReport onClose={close} />
      </Dialog>
      <Dialog open={dialog === 'about'} onClose={close} title={t('About Collegium')}>
        {dialog === 'about' && <About />}
      </Dialog>
      <RuntimeTypeDialog open={dialog === 'runtime-type'} onClose={close} />
      {dialog === 'snippet' && <SnippetDialog open snippet={snippetOf(desk)} onClose={close} />}
      <NotebookSettings open={dialog === 'notebook-settings'} onClose={close} />
      <SessionsDialog open={dialog === 'sessions'} onClose={close} here={desk.id} />
      <Dialog open={dialog === 'runtime-log'} onClose={close} title={t('Runtime log')} wide>
        {dialog === 'runtime-log' && <RuntimeLog />}
      </Dialog>
      <Dialog open={dialog === 'info'} onClose={close} title={t('Notebook info')}>
        {dialog === 'info' && <NotebookDetails notebook={desk.id} />}
      </Dialog>
      <RevisionDialog open={dialog === 'revision'} onClose={close} />
      <GoToCell open={dialog === 'cell'} onClose={close} />
      <FieldDialog open={dialog === 'form-field'} onClose={close} />
      <EnvironmentDialog open={dialog === 'environment'} onClose={close} />
      <ConfirmDialog
        open={dialog === 'disconnect'}
        onClose={close}
        onConfirm={() => desk.session.command('disconnect')}
        title={t('Disconnect and delete the runtime?')}
        description={t('Text and outputs stay in the notebook. Variables, and files in the runtime, are lost.')}
        confirm={t('Disconnect and delete')}
        danger
      />
      <ConfirmDialog
        open={dialog === 'trash'}
        onClose={close}
        onConfirm={async () => {
          try {
            await api.trash(desk.id)
            navigate('/')
          } catch (cause) {
            notifyError(t('The notebook was not moved to the trash'), cause)
          }
        }}
        title={t('Move “{name}” to the trash?', { name })}
        description={t('It stays in the trash, where you can bring it back.')}
        confirm={t('Move to trash')}
        danger
      />
    </>
  )
}

/** What is selected in the focused cell, or all of it; its first words are offered as the name. */
function snippetOf(desk: Desk): OwnSnippet {
  const id = desk.view.getState().focused ?? ''
  const state = desk.editors.getState().get(id)?.state
  const cell = cellOf(desk.room.doc, id)
  const selected = state?.sliceDoc(state.selection.main.from, state.selection.main.to) ?? ''
  const source = selected.trim() === '' ? (cell ? textOf(cell).toString() : '') : selected
  const [first = ''] = source.trim().split('\n')
  return { name: first.replace(/^[#\s]+/, '').slice(0, NAME_MAX), source }
}

/** As the drive knows it. */
function Move({ onClose }: { onClose: () => void }) {
  const desk = useDesk()
  const [item, setItem] = useState<Item | null>(null)
  useEffect(() => {
    api.item(desk.id).then(setItem, (cause: unknown) => {
      notifyError(t('The notebook was not found in the drive'), cause)
      onClose()
    })
  }, [desk, onClose])
  return <MoveDialog item={item} onClose={onClose} onMoved={() => undefined} />
}
