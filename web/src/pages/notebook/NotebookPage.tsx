/** The page of one notebook: opens it, shows it as soon as it is here, and comes back when it must start anew. */
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { loadWriting } from '../../editor/helping'
import { t } from '../../i18n'
import type { NotebookId } from '../../model/wire'
import { loadCleaner } from '../../outputs/cleaning'
import { loadMarkdown } from '../../outputs/Markdown'
import { AroundContext } from '../../outputs/widgets/around'
import { BrowserCopy } from '../../room/copy'
import type { SetAside } from '../../room/shelf'
import { NoCopy } from '../../room/uncopied'
import { useAccount, useIsGuest, useMe } from '../../ui/account'
import { Button, later, loadMenus, notify } from '../../ui/kit'
import { aroundOf } from '../../ui/notebook/around'
import { CellList } from '../../ui/notebook/CellList'
import { Contained } from '../../ui/notebook/Contained'
import { type Chrome, Desk } from '../../ui/notebook/desk'
import { DeskProvider } from '../../ui/notebook/DeskProvider'
import { Header } from '../../ui/notebook/Header'
import { useChrome, useDesk, useRoom, useSession } from '../../ui/notebook/hooks'
import { useKeyboard } from '../../ui/notebook/keyboard'
import '../../ui/notebook/notebook.css'
import { Rail } from '../../ui/notebook/Rail'
import { SIDES } from '../../ui/notebook/sides'
import { skipToCells } from '../../ui/notebook/tabbing'
import { Toolbar } from '../../ui/notebook/Toolbar'
import { NotFound, Notice } from '../../ui/Notice'

const Dialogs = later(() => import('../../ui/notebook/Dialogs'))
const RunNews = later(() => import('../../ui/notebook/RunNews'))
const FindBar = later(() => import('../../ui/find/FindBar'))
const BesidePane = later(() => import('../../ui/beside/BesidePane'))
const Slides = later(() => import('../../ui/slides/Slides'))
const FileTab = later(() => import('../../ui/files/FileTab'))
const GridTab = later(() => import('../../ui/grid/GridTab'))
const TerminalPanel = later(() => import('../../ui/terminal/TerminalPanel'))
const ResourcesPanel = later(() => import('../../ui/resources/ResourcesPanel'))
const HistoryPanel = later(() => import('../../ui/history/HistoryPanel'))
const PastView = later(() => import('../../ui/history/PastView'))
const KeptEdits = later(() => import('../../ui/notebook/KeptEdits'))
const PlaygroundBar = later(() => import('../../ui/notebook/PlaygroundBar'))
const RuntimeNotices = later(() => import('../../ui/notebook/RuntimeNotices'))
const shell = () => import('../../shell/build')
const CommentsLayer = later(() => import('../../ui/comments/CommentsLayer'))
const OverlapsLayer = later(() => import('../../ui/overlaps/OverlapsLayer'))
const REST_MS = 2000

export function NotebookPage({ id }: { id: NotebookId }) {
  const { desk, loose } = useOpenDesk(id)
  useKeyboard(desk)
  if (!desk) return null
  return (
    <DeskProvider desk={desk}>
      <AroundContext value={aroundOf(desk)}>
        <OpenNotebook loose={loose} />
        <DialogsWhenAsked />
      </AroundContext>
    </DeskProvider>
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
      void import('../../ui/notebook/print.css').catch(() => undefined)
      loadMarkdown()
      void loadCleaner()
      loadMenus()
      void loadWriting()
      // Tried again when it is needed, which then says what went wrong.
      Dialogs.ahead().catch(() => undefined)
    }, REST_MS)
    return () => clearTimeout(timer)
  }, [ready])
  return (
    made && (
      <Contained of={asked} what={t('The dialog')}>
        <Dialogs />
      </Contained>
    )
  )
}

function OpenNotebook({ loose }: { loose: readonly SetAside[] }) {
  const ready = useRoom((state) => state.ready)
  const ended = useRoom((state) => state.ended)
  const aside = useRoom((state) => state.aside) || loose.length > 0
  const here = useMemo(() => (ended?.kept ? [...loose, ended.kept] : loose), [ended, loose])
  const { enter } = useAccount()
  const desk = useDesk()
  if (ended?.code === 4401) {
    return (
      <Notice title={t('This notebook is not open to everybody any more')} actions={<Button weight="primary" onClick={enter}>{t('Sign in')}</Button>}>
        {t('If it is shared with you, sign in to go on.')}
      </Notice>
    )
  }
  if (ended?.code === 4404) {
    if (!aside) return <NotFound />
    return (
      <Notice title={t('This notebook is gone')} actions={<KeptEdits loose={here} gone />}>
        {t('What you wrote in it, and the server never got, is kept in this browser.')}
      </Notice>
    )
  }
  if (ended && ended.code !== 4401) {
    return (
      <Notice title={t('The connection was ended')} actions={<Button weight="primary" onClick={() => location.reload()}>{t('Load again')}</Button>}>
        {ended.reason || t('The server could not go on with this page.')}
      </Notice>
    )
  }
  return (
    <div className="nb">
      <nav className="nb-skip" aria-label={t('On this page')}>
        <a
          href="#notebook"
          className="skip"
          onClick={(event) => {
            event.preventDefault()
            skipToCells(desk)
          }}
        >
          {t('Skip to the cells')}
        </a>
      </nav>
      <Header />
      <div className="nb-body">
        <Rail />
        {SIDES.map(({ id, name, part: Part }) => (
          <Once key={id} asked={(chrome) => chrome.side === id} what={name} part={<Part />} />
        ))}
        <main className="nb-main" id="notebook" tabIndex={-1}>
          <Toolbar />
          <Once asked={(chrome) => chrome.find !== null} what={t('Find and replace')} part={<FindBar />} />
          {ready && <SlidesWhenAsked />}
          <PlaygroundWhenOne />
          <AfterTheCells what={t('The overlaps')} part={<OverlapsLayer />} />
          {ready ? <Cells /> : <Skeleton />}
          <NoticesWhenAsked />
          {ready && aside && (
            <Contained of={loose} what={t('What this browser keeps')}>
              <KeptEdits loose={loose} />
            </Contained>
          )}
        </main>
        <Once asked={({ beside }) => beside.scratch || beside.mirrors.length > 0} what={t('What stands beside the cells')} part={<BesidePane />} />
        <Once asked={(chrome) => chrome.file !== null} what={t('The file')} part={<FileTab />} />
        <Once asked={(chrome) => chrome.table !== null} what={t('The table')} part={<GridTab />} />
        <Once asked={(chrome) => chrome.resources} what={t('The resources panel')} part={<ResourcesPanel />} />
        <Once asked={(chrome) => chrome.history} what={t('The revisions')} part={<HistoryPanel />} />
        <AfterTheCells what={t('The comments')} part={<CommentsLayer />} rest />
        <AfterTheCells what={t('News of what runs')} part={<RunNews />} />
      </div>
      <Once asked={(chrome) => chrome.terminal} what={t('The terminal')} part={<TerminalPanel />} />
    </div>
  )
}

/** By a command, or by an address that ends as Colab's do. */
function SlidesWhenAsked() {
  const desk = useDesk()
  useEffect(() => {
    if (/[#&]slideshowMode=true\b/.test(location.hash)) desk.chrome.setState({ slides: { from: 'start' } })
  }, [desk])
  return <Once asked={(chrome) => chrome.slides !== null} what={t('The slideshow')} part={<Slides />} />
}

/** The cells as they are now, or what is looked at of the past. */
function Cells() {
  const past = useChrome((chrome) => chrome.past)
  if (past === null) return <CellList />
  return (
    <Contained of={past} what={t('The past')}>
      <PastView past={past} />
    </Contained>
  )
}

/** What comes after the cells: it marks something in them, for people who are signed in. `rest`: unless it is asked for, once the page is at rest. */
function AfterTheCells({ what, part, rest = false }: { what: string; part: ReactNode; rest?: boolean }) {
  const guest = useIsGuest()
  const ready = useRoom((state) => state.ready && state.role !== null) && !guest
  const asked = useChrome((chrome) => chrome.comments) || /^#comment=/.test(location.hash)
  const [made, setMade] = useState(false)
  useEffect(() => {
    if (!ready) return
    const timer = setTimeout(() => setMade(true), rest && !asked ? REST_MS : 0)
    return () => clearTimeout(timer)
  }, [ready, rest, asked])
  return made && (
    <Contained of={made} what={what}>
      {part}
    </Contained>
  )
}

/** Of a playground, and of what one may only read. */
function PlaygroundWhenOne() {
  const asked = useRoom((state) => state.playgroundOf !== null || (state.role !== null && !state.may.has('run')))
  return asked && (
    <Contained of={asked} what={t('What is to be told of the playground')}>
      <PlaygroundBar />
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
    <Contained of={asked} what={t('What is to be told of the runtime')}>
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
    <div className="nb-skeleton" role="status" aria-label={t('Opening the notebook')}>
      <span />
      <span />
      <span />
    </div>
  )
}

/** A desk for this notebook; another one when the server has replaced the document. */
function useOpenDesk(id: NotebookId): { readonly desk: Desk | null; readonly loose: readonly SetAside[] } {
  const me = useMe()
  const guest = useIsGuest()
  const { lost } = useAccount()
  const [life, setLife] = useState(0)
  const [desk, setDesk] = useState<Desk | null>(null)
  const [loose, setLoose] = useState<readonly SetAside[]>([])
  useEffect(() => setLoose([]), [id])
  useEffect(() => {
    const opened = new Desk(id, me, {
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/notebooks/${encodeURIComponent(id)}/socket`,
      notebook: id,
      ...(!guest && { user: me.id }),
      copy: guest ? new NoCopy() : new BrowserCopy(me.id, id),
      events: {
        replaced(why, kept) {
          if (why === 'differs') notify({ title: t('This copy differed from the server’s and was fetched again.') })
          if (why === 'epoch' && !kept) notify({ title: t('The notebook was replaced on the server.') })
          if (kept) setLoose((all) => [...all, kept])
          setLife((n) => n + 1)
        },
        refused: (reason) => notify({ title: t('The server refused an edit'), detail: reason, kind: 'bad' }),
        troubled: (detail) => notify({ title: t('The server cannot store your edits now'), detail: t('{detail} They are kept in this browser, and sent again.', { detail }), kind: 'bad' }),
        // A guest who has seen it is told; else signing in may help.
        signedOut: () => !(guest && opened.room.state.getState().ready) && lost(),
        build: (name) => void shell().then(({ served }) => served(name), () => undefined),
        outdated: () => void shell().then(({ outdated }) => outdated(), () => location.reload()),
      },
    })
    setDesk(opened)
    opened.room.open()
    return () => {
      setDesk(null)
      opened.close()
    }
  }, [id, me, guest, life, lost])
  return { desk, loose }
}
