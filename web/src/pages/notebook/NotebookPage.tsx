/** The page of one notebook: opens it, shows it as soon as it is here, and comes back when it must start anew. */
import { type ReactNode, useEffect, useState } from 'react'
import { order, cellOf, textOf } from '../../model/notebook'
import type { NotebookId } from '../../model/wire'
import { loadMarkdown } from '../../outputs/Markdown'
import { BrowserCopy } from '../../room/copy'
import { useAccount, useMe } from '../../ui/account'
import { Button, later, notify } from '../../ui/kit'
import { CellList } from '../../ui/notebook/CellList'
import { Contained } from '../../ui/notebook/Contained'
import { type Chrome, Desk } from '../../ui/notebook/desk'
import { Header } from '../../ui/notebook/Header'
import { DeskContext, useChrome, useRoom, useSession } from '../../ui/notebook/hooks'
import { useKeyboard } from '../../ui/notebook/keyboard'
import '../../ui/notebook/notebook.css'
import { ContentsPanel } from '../../ui/notebook/Panels'
import { Rail } from '../../ui/notebook/Rail'
import { Toolbar } from '../../ui/notebook/Toolbar'
import { NotFound, Notice } from '../../ui/Notice'

const Dialogs = later(() => import('../../ui/notebook/Dialogs'))
const FilesPanel = later(() => import('../../ui/files/FilesPanel'))
const FileTab = later(() => import('../../ui/files/FileTab'))
const TerminalPanel = later(() => import('../../ui/terminal/TerminalPanel'))
const ResourcesPanel = later(() => import('../../ui/resources/ResourcesPanel'))
const RuntimeNotices = later(() => import('../../ui/notebook/RuntimeNotices'))
const CommentsLayer = later(() => import('../../ui/comments/CommentsLayer'))
const REST_MS = 2000

export function NotebookPage({ id }: { id: NotebookId }) {
  const desk = useOpenDesk(id)
  useKeyboard(desk)
  if (!desk) return null
  return (
    <DeskContext value={desk}>
      <OpenNotebook />
      <DialogsWhenAsked />
    </DeskContext>
  )
}

/** What few visits need comes when asked for, or a while after all else, so that it is there when the server is not. */
function DialogsWhenAsked() {
  const ready = useRoom((state) => state.ready)
  const asked = useChrome((chrome) => chrome.dialog !== null)
  const [made, setMade] = useState(false)
  useEffect(() => {
    if (asked) setMade(true)
  }, [asked])
  useEffect(() => {
    if (!ready) return
    const timer = setTimeout(() => {
      loadMarkdown()
      // Tried again when it is needed, which then says what went wrong.
      Dialogs.ahead().catch(() => undefined)
    }, REST_MS)
    return () => clearTimeout(timer)
  }, [ready])
  return (
    made && (
      <Contained of={asked} what="The dialog">
        <Dialogs />
      </Contained>
    )
  )
}

function OpenNotebook() {
  const ready = useRoom((state) => state.ready)
  const ended = useRoom((state) => state.ended)
  if (ended?.code === 4404) return <NotFound />
  if (ended && ended.code !== 4401) {
    return (
      <Notice title="The connection was ended" actions={<Button weight="primary" onClick={() => location.reload()}>Load again</Button>}>
        {ended.reason || 'The server could not go on with this page.'}
      </Notice>
    )
  }
  return (
    <div className="nb">
      <Header />
      <div className="nb-body">
        <Rail />
        <ContentsPanel />
        <Once asked={(chrome) => chrome.side === 'files'} what="The files panel" part={<FilesPanel />} />
        <main className="nb-main">
          <Toolbar />
          {ready ? <CellList /> : <Skeleton />}
          <NoticesWhenAsked />
        </main>
        <Once asked={(chrome) => chrome.file !== null} what="The file" part={<FileTab />} />
        <Once asked={(chrome) => chrome.resources} what="The resources panel" part={<ResourcesPanel />} />
        <AfterTheCells what="The comments" part={<CommentsLayer />} />
      </div>
      <Once asked={(chrome) => chrome.terminal} what="The terminal" part={<TerminalPanel />} />
    </div>
  )
}

/** What comes after the cells: it marks something in them, for people who are signed in. */
function AfterTheCells({ what, part }: { what: string; part: ReactNode }) {
  const guest = useIsGuest()
  const ready = useRoom((state) => state.ready && state.role !== null) && !guest
  const [made, setMade] = useState(false)
  useEffect(() => {
    if (ready) setMade(true)
  }, [ready])
  return made && (
    <Contained of={made} what={what}>
      {part}
    </Contained>
  )
}

/** From the first thing on that is to be told of the runtime. */
function NoticesWhenAsked() {
  const asked = useSession(({ runtime, gone, memory, packages }) => Boolean(gone ?? memory ?? runtime?.notice) || packages.length > 0 || (runtime?.notes?.length ?? 0) > 0)
  const [made, setMade] = useState(asked)
  useEffect(() => {
    if (asked) setMade(true)
  }, [asked])
  return made && (
    <Contained of={asked} what="What is to be told of the runtime">
      <RuntimeNotices />
    </Contained>
  )
}

/** A part whose code comes when it is asked for, and that then stays, shown or not. */
function Once({ asked, what, part }: { asked: (chrome: Chrome) => boolean; what: string; part: ReactNode }) {
  const now = useChrome(asked)
  const [made, setMade] = useState(now)
  useEffect(() => {
    if (now) setMade(true)
  }, [now])
  return made && (
    <Contained of={now} what={what}>
      {part}
    </Contained>
  )
}

function Skeleton() {
  return (
    <div className="nb-skeleton" role="status" aria-label="Opening the notebook">
      <span />
      <span />
      <span />
    </div>
  )
}

/** A desk for this notebook; another one when the server has replaced the document. */
function useOpenDesk(id: NotebookId): Desk | null {
  const me = useMe()
  const { lost } = useAccount()
  const [life, setLife] = useState(0)
  const [desk, setDesk] = useState<Desk | null>(null)
  useEffect(() => {
    const opened = new Desk(id, me, {
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/notebooks/${encodeURIComponent(id)}/socket`,
      notebook: id,
      copy: new BrowserCopy(me.id, id),
      events: {
        replaced(why, kept) {
          const text = kept && order(kept).map((cell) => textOf(cellOf(kept, cell)!).toString()).join('\n\n# ---\n\n')
          notify({
            title: why,
            ...(text && { detail: 'This browser held edits that the server never got. Take a copy of them.', action: { label: 'Download them', run: () => keep(text) }, kind: 'bad' as const }),
          })
          setLife((n) => n + 1)
        },
        refused: (reason) => notify({ title: 'The server refused an edit', detail: reason, kind: 'bad' }),
        troubled: (detail) => notify({ title: 'The server cannot store your edits now', detail: `${detail} They are kept in this browser, and sent again.`, kind: 'bad' }),
        signedOut: lost,
      },
    })
    setDesk(opened)
    void opened.room.open()
    return () => {
      setDesk(null)
      opened.close()
    }
  }, [id, me, life, lost])
  return desk
}

function keep(text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  link.download = 'unsent edits.txt'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href))
}
