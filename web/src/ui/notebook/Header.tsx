/** The notebook's head: its name, its menus, whether it is saved, who is here, and with whom it is shared. */
import { MessageSquare, Users } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { Link } from 'wouter'
import { api } from '../../api/client'
import { t } from '../../i18n'
import { Button, IconButton, later, Mark, Menubar, notifyError } from '../kit'
import { useAccount, useIsGuest } from '../account'
import { UserMenu } from '../UserMenu'
import { menuOf } from '../commands/menus'
import { MENUS } from '../commands/model'
import { useChrome, useDesk, useMay, useRoom } from './hooks'
import { Presence } from './Presence'
import { SaveStatus } from './SaveStatus'
import { nameTab } from './title'

const Bell = later(() => import('../notifications/Bell'), <span className="icon-button" />)

export function Header() {
  const desk = useDesk()
  const comments = useChrome((chrome) => chrome.comments)
  const shown = useChrome((chrome) => chrome.header)
  const guest = useIsGuest()
  const { enter } = useAccount()
  return (
    <header className="nb-header" hidden={!shown}>
      <Link href="/" className="nb-home" aria-label={t('Collegium, your drive')}>
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
            {t('Sign in')}
          </Button>
        ) : (
          <>
            <Bell />
        <IconButton label={t('Comments')} icon={<MessageSquare size={18} aria-hidden />} pressed={comments} onClick={() => desk.showComments(!comments)} />
            <Button weight="primary" icon={<Users size={16} aria-hidden />} className="nb-share" aria-label={t('Share')} onClick={() => desk.open('share')}>
              <span className="nb-share-text">{t('Share')}</span>
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
  useEffect(() => nameTab(name), [name])
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
        notifyError(t('The notebook was not renamed'), cause)
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
        aria-label={t('Notebook name')}
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
  const menus = useMemo(() => MENUS.map((name) => ({ label: t(name), items: () => menuOf(desk, name) })), [desk])
  return (
    <div className="nb-menubar">
      <Menubar label={t('Notebook')} menus={menus} />
    </div>
  )
}
