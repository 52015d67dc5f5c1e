/** The dialogs of a notebook, each over what the command table or the API says. */
import { useState } from 'react'
import { useLocation } from 'wouter'
import { api } from '../../api/client'
import { shown } from '../../model/shortcut'
import { ConfirmDialog, Dialog, later, Mark, notifyError } from '../kit'
import { usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import { useChrome, useDesk, useRoom } from './hooks'
import { mac } from './keyboard'

const ShareDialog = later(() => import('../sharing/ShareDialog'))
const RuntimeTypeDialog = later(() => import('../resources/RuntimeTypeDialog'))
const SessionsDialog = later(() => import('../resources/SessionsDialog'))
const NotebookDetails = later(() => import('../NotebookDetails'))
const RevisionDialog = later(() => import('../history/RevisionDialog'))
const GoToCell = later(() => import('./GoToCell'))
const FieldDialog = later(() => import('../forms/FieldDialog'))
const EnvironmentDialog = later(() => import('../resources/EnvironmentDialog'))

export default function Dialogs() {
  const desk = useDesk()
  const dialog = useChrome((chrome) => chrome.dialog)
  const name = useRoom((state) => state.name)
  const [, navigate] = useLocation()
  const close = () => desk.open(null)
  return (
    <>
      <ShareDialog item={dialog === 'share' ? { id: desk.id, name, kind: 'notebook' } : null} onClose={close} />
      <Dialog open={dialog === 'shortcuts'} onClose={close} title="Keyboard shortcuts" wide>
        <Shortcuts />
      </Dialog>
      <Dialog open={dialog === 'palette'} onClose={close} title="Commands">
        <Palette />
      </Dialog>
      <Dialog open={dialog === 'about'} onClose={close} title="About Collegium">
        <div className="about">
          <Mark size={48} />
          <p>Notebooks that a group writes together, with a machine of your own behind them.</p>
          <p className="about-small">Free software under the Apache License 2.0.</p>
        </div>
      </Dialog>
      <RuntimeTypeDialog open={dialog === 'runtime-type'} onClose={close} />
      <SessionsDialog open={dialog === 'sessions'} onClose={close} here={desk.id} />
      <Dialog open={dialog === 'info'} onClose={close} title="Notebook info">
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
        title="Disconnect and delete the runtime?"
        description="Text and outputs stay in the notebook. Variables, and files in the runtime, are lost."
        confirm="Disconnect and delete"
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
            notifyError('The notebook was not moved to the trash', cause)
          }
        }}
        title={`Move “${name}” to the trash?`}
        description="It stays in the trash, where you can bring it back."
        confirm="Move to trash"
        danger
      />
    </>
  )
}

function Shortcuts() {
  return (
    <table className="shortcuts">
      <thead>
        <tr>
          <th scope="col">Command</th>
          <th scope="col">Keys</th>
        </tr>
      </thead>
      <tbody>
        {COMMANDS.filter(({ keys }) => keys).map(({ id, name, keys, outside }) => (
          <tr key={id}>
            <td>{name}</td>
            <td>
              {keys!.map((key) => (
                <kbd key={key} className="key">
                  {shown(key, mac)}
                </kbd>
              ))}
              {outside && <span className="shortcuts-note">outside of text</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Palette() {
  const desk = useDesk()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const words = query.toLowerCase().split(/\s+/)
  const found = COMMANDS.filter(
    (command) => command.id !== 'palette' && command.menu !== 'Help' && !command.outside && usable(command, desk) && words.every((word) => `${command.menu ?? ''} ${command.name}`.toLowerCase().includes(word)),
  )
  const chosen = Math.min(at, found.length - 1)
  const go = (index: number) => {
    const command = found[index]
    if (!command) return
    desk.open(null)
    // Once the dialog has given the focus back, the command may move it.
    setTimeout(() => command.run(desk))
  }
  return (
    <div className="palette">
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[chosen] && `palette-${found[chosen].id}`}
        aria-label="Find a command"
        placeholder="Find a command"
        autoFocus
        className="field-control"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
          if (step !== 0) setAt((chosen + step + found.length) % Math.max(1, found.length))
          else if (event.key === 'Enter') go(chosen)
          else return
          event.preventDefault()
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Commands">
        {found.map((command, index) => (
          <li
            key={command.id}
            id={`palette-${command.id}`}
            role="option"
            aria-selected={index === chosen}
            ref={(element) => {
              if (index === chosen) element?.scrollIntoView({ block: 'nearest' })
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => go(index)}
          >
            <span>{command.name}</span>
            {command.keys?.[0] !== undefined && <kbd>{shown(command.keys[0], mac)}</kbd>}
          </li>
        ))}
        {found.length === 0 && <li className="palette-none">No command has that name.</li>}
      </ul>
    </div>
  )
}
