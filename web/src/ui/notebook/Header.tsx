/** The notebook's head: its name, its menus, whether it is saved, who is here, and with whom it is shared. */
import { MessageSquare, Users } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { api } from '../../api/client'
import { Button, IconButton, later, Mark, Menubar, type MenubarMenu, type MenuEntry, notifyError } from '../kit'
import { useThemeEntry } from '../themes'
import { useAccount, useIsGuest } from '../account'
import { UserMenu } from '../UserMenu'
import { type Command, MENUS, usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import type { Desk } from './desk'
import { useChrome, useDesk, useMay, useRoom } from './hooks'
import { mac } from './keyboard'
import { Presence } from './Presence'
import { SaveStatus } from './SaveStatus'
import { shown } from '../../model/shortcut'

const Bell = later(() => import('../notifications/Bell'), <span className="icon-button" />)

export function Header() {
  const desk = useDesk()
  const comments = useChrome((chrome) => chrome.comments)
  const guest = useIsGuest()
  const { enter } = useAccount()
  return (
    <header className="nb-header">
      <Link href="/" className="nb-home" aria-label="Collegium, your drive">
        <Mark size={34} />
      </Link>
      <div className="nb-title">
        <NotebookName />
        <div className="nb-menus">
          <Menus />
          <SaveStatus />
        </div>
      </div>
      <div className="nb-people">
        <Presence />
        {guest ? (
          <Button weight="primary" onClick={enter}>
            Sign in
          </Button>
        ) : (
          <>
            <Bell />
        <IconButton label="Comments" icon={<MessageSquare size={18} aria-hidden />} pressed={comments} onClick={() => desk.showComments(!comments)} />
            <Button weight="primary" icon={<Users size={16} aria-hidden />} className="nb-share" aria-label="Share" onClick={() => desk.open('share')}>
              <span className="nb-share-text">Share</span>
            </Button>
            <UserMenu />
          </>
        )}
      </div>
    </header>
  )
}

function NotebookName() {
  const desk = useDesk()
  const name = useRoom((state) => state.name)
  const editable = useMay('write')
  const renaming = useChrome((chrome) => chrome.renaming)
  const [draft, setDraft] = useState(name)
  useEffect(() => setDraft(name), [name, renaming])
  useEffect(() => {
    document.title = name ? `${name} · Collegium` : 'Collegium'
  }, [name])
  const done = (keep: boolean) => {
    // Leaving the field after Enter ends what has ended already.
    if (!desk.chrome.getState().renaming) return
    desk.chrome.setState({ renaming: false })
    const next = draft.trim()
    if (!keep || next === '' || next === name) return setDraft(name)
    api.rename(desk.id, next).then(
      () => desk.room.state.setState({ name: next }),
      (cause: unknown) => {
        setDraft(name)
        notifyError('The notebook was not renamed', cause)
      },
    )
  }
  if (!editable) return <h1 className="nb-name">{name}</h1>
  return (
    <h1 className="nb-name">
      <span className="nb-name-sizer" aria-hidden>
        {draft || ' '}
      </span>
      <input
        aria-label="Notebook name"
        value={draft}
        maxLength={255}
        spellCheck={false}
        ref={(input) => {
          if (renaming && input && document.activeElement !== input) {
            input.focus()
            input.setSelectionRange(0, Math.max(0, draft.replace(/\.ipynb$/, '').length))
          }
        }}
        onFocus={() => desk.chrome.setState({ renaming: true })}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={() => done(true)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') done(true)
          if (event.key === 'Escape') done(false)
          if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur()
        }}
      />
    </h1>
  )
}

function Menus() {
  const desk = useDesk()
  const [, navigate] = useLocation()
  const themes = useThemeEntry()
  // Menus show what is possible now; they are built when something they depend on changes.
  useRoom((state) => state.may)
  const [, refresh] = useState(0)
  const extra: Partial<Record<(typeof MENUS)[number], { readonly first?: MenuEntry[]; readonly last?: MenuEntry[] }>> = {
    File: {
      first: [
        { label: 'New notebook', onSelect: () => void api.createNotebook(null, null).then(({ id }) => navigate(`/notebooks/${id}`), failed('No notebook was made')) },
        { label: 'Open drive', onSelect: () => navigate('/') },
        { label: 'Make a copy', onSelect: () => void copyOf(desk.id).then((id) => navigate(`/notebooks/${id}`), failed('The notebook was not copied')) },
        'separator',
      ],
    },
    View: {
      last: [
        'separator',
        themes,
      ],
    },
  }
  const menus: MenubarMenu[] = MENUS.map((name) => ({
    label: name,
    items: [...(extra[name]?.first ?? []), ...entries(COMMANDS.filter((command) => command.menu === name), desk), ...(extra[name]?.last ?? [])],
  }))
  return (
    <div className="nb-menubar" onPointerDownCapture={() => refresh((n) => n + 1)} onFocusCapture={() => refresh((n) => n + 1)}>
      <Menubar label="Notebook" menus={menus} />
    </div>
  )
}

function entries(commands: readonly Command[], desk: Desk): MenuEntry[] {
  return commands.flatMap((command, at): MenuEntry[] => {
    const entry: MenuEntry = {
      label: command.name,
      onSelect: () => usable(command, desk) && command.run(desk),
      disabled: !usable(command, desk),
      ...(command.keys?.[0] !== undefined && { shortcut: shown(command.keys[0], mac) }),
      ...(command.checked && { checked: command.checked(desk) }),
    }
    const previous = commands[at - 1]
    return previous && previous.group !== command.group ? ['separator', entry] : [entry]
  })
}

const failed = (title: string) => (cause: unknown) => notifyError(title, cause)

async function copyOf(notebook: string): Promise<string> {
  const { drive } = await import('../../api/drive')
  return (await drive.copy(notebook)).id
}
