/** What a person should know of the runtime now, at the foot of the cells, where nothing moves when it comes. */
import { Clock, MemoryStick, Package, Unplug, X } from 'lucide-react'
import { type Dispatch, type ReactNode, type SetStateAction, useEffect, useMemo, useState } from 'react'
import { t } from '../../i18n'
import { reasonText } from '../../i18n/reasons'
import { countdown, ofText, sizeText, spanText } from '../../model/usage'
import type { PackageChange, Runtime, RuntimeNotice } from '../../model/wire'
import { isHere, type SessionState } from '../../session/session'
import { Button, classes, IconButton } from '../kit'
import { signTab } from './title'
import { useDesk, useMay, useSession } from './hooks'

export default function RuntimeNotices() {
  const state = useSession((session) => session)
  const mayRun = useMay('run')
  const said = useAnnouncement(state)
  if (!mayRun) return null
  return (
    <section className="nb-notices" aria-label={t('Runtime notices')}>
      <p role="status" aria-label={t('Runtime notice')} className="visually-hidden">
        {said}
      </p>
      {isHere(state.runtime) && state.runtime.notice && <Ending notice={state.runtime.notice} />}
      {state.gone && !state.connecting && <Gone gone={state.gone} />}
      {state.memory && <Memory memory={state.memory} />}
      {state.packages.length > 0 && <Packages packages={state.packages} />}
      {state.runtime && <Notes key={state.runtime.id} runtime={state.runtime} />}
    </section>
  )
}

interface BarProps {
  readonly icon: ReactNode
  readonly tone?: 'info' | 'warn' | 'bad'
  readonly title: ReactNode
  readonly children?: ReactNode
  readonly actions?: ReactNode
  readonly onClose?: () => void
}

function Bar({ icon, tone = 'info', title, children, actions, onClose }: BarProps) {
  return (
    <div className={classes('nb-notice', `nb-notice-${tone}`)}>
      <span className="nb-notice-icon">{icon}</span>
      <div className="nb-notice-words">
        <strong>{title}</strong> {children}
      </div>
      <div className="nb-notice-actions">
        {actions}
        {onClose && <IconButton label={t('Dismiss')} icon={<X size={16} aria-hidden />} onClick={onClose} />}
      </div>
    </div>
  )
}

const ANSWER_WITHIN_MS = 5000
const size = { size: 18, 'aria-hidden': true } as const

function Ending({ notice }: { notice: RuntimeNotice }) {
  const desk = useDesk()
  const [left, setLeft] = useState(() => notice.at - desk.session.now())
  const [asked, setAsked] = useState(false)
  useEffect(() => {
    const look = () => setLeft(notice.at - desk.session.now())
    look()
    const timer = setInterval(look, 1000)
    return () => clearInterval(timer)
  }, [desk, notice.at])
  const [refused, setRefused] = useState(false)
  useEffect(() => {
    setAsked(false)
    setRefused(false)
  }, [notice.at])
  useEffect(() => {
    if (!asked) return
    const timer = setTimeout(() => setRefused(true), ANSWER_WITHIN_MS)
    return () => clearTimeout(timer)
  }, [asked])
  useEffect(() => {
    // Other tabs of the browser hide the page, and still show its title.
    signTab('notice', '⏳')
    return () => signTab('notice', null)
  }, [])
  const idle = notice.kind === 'idle'
  return (
    <Bar
      icon={<Clock {...size} />}
      tone="warn"
      title={idle ? t('Are you still there?') : t('The runtime has lived as long as it may.')}
      actions={
        refused ? (
          <span>{t('It cannot be kept longer.')}</span>
        ) : (
          <Button weight="primary" small busy={asked} onClick={() => (desk.session.command('keep'), setAsked(true))}>
            {t('Keep')}
          </Button>
        )
      }
    >
      {left > 0 ? (
        <>
          {idle && t('Nothing has run for a while.')} {t('The runtime is given back, with the variables and files in it, in')} <span className="nb-countdown">{countdown(left)}</span>.
        </>
      ) : (
        t('It is being given back.')
      )}
    </Bar>
  )
}

function Gone({ gone }: { gone: NonNullable<SessionState['gone']> }) {
  const desk = useDesk()
  return (
    <Bar
      icon={<Unplug {...size} />}
      tone={gone.started ? 'warn' : 'bad'}
      title={sentence(reasonText(gone) ?? (gone.started ? t('The runtime was given back') : t('No runtime could be had')))}
      actions={<Button weight="primary" small onClick={() => desk.session.connect()}>{gone.started ? t('Reconnect') : t('Try again')}</Button>}
      onClose={() => desk.session.dismiss('gone')}
    >
      {gone.started && t('Text and outputs are saved; variables and files in the runtime are not.')}
    </Bar>
  )
}

function Memory({ memory }: { memory: NonNullable<SessionState['memory']> }) {
  const desk = useDesk()
  const largest = memory.variables.slice(0, 3)
  return (
    <Bar
      icon={<MemoryStick {...size} />}
      tone="warn"
      title={t('Memory is nearly full: {ofText}.', { ofText: ofText(memory.bytes, memory.limit) })}
      actions={<Button small onClick={() => desk.showResources(true)}>{t('View resources')}</Button>}
      onClose={() => desk.session.dismiss('memory')}
    >
      {largest.length === 0 ? t('At the limit the kernel is ended.') : (
        <>
          {t('Largest:')} {largest.map(({ name, bytes }, at) => (
            <span key={name}>
              {at > 0 && ', '}
              <code>{name}</code> {sizeText(bytes)}
            </span>
          ))}. {t('This makes room:')} <code>del {largest[0]!.name}</code>
        </>
      )}
    </Bar>
  )
}

function Packages({ packages }: { packages: readonly PackageChange[] }) {
  const desk = useDesk()
  return (
    <Bar
      icon={<Package {...size} />}
      title={t('Restart the session to use the packages you installed.')}
      actions={<Button weight="primary" small onClick={() => desk.session.command('restart')}>{t('Restart session')}</Button>}
      onClose={() => desk.session.dismiss('packages')}
    >
      {t('Still in use:')} {list(packages)}.
    </Bar>
  )
}

function Notes({ runtime: { notes = [], notes_why } }: { runtime: Runtime }) {
  const [closed, setClosed] = useState(false)
  if (closed || notes.length === 0) return null
  return (
    <Bar icon={<Unplug {...size} />} title={t('This runtime is not all that was asked for.')} onClose={() => setClosed(true)}>
      {notes.map((reason, at) => sentence(reasonText({ reason, why: notes_why?.[at] ?? null }) ?? reason)).join(' ')}
    </Bar>
  )
}

/** Read out once for each thing that happens, and not with every second of a countdown. */
function useAnnouncement({ runtime, gone, memory, packages }: SessionState): string {
  const { session } = useDesk()
  const [said, setSaid] = useState('')
  const at = isHere(runtime) ? (runtime.notice?.at ?? null) : null
  const ending = useMemo(() => (at === null ? null : t('The runtime is given back in {span}, unless you press Keep.', { span: spanText(at - session.now() + 30_000) })), [session, at])
  useSaid(setSaid, ending)
  useSaid(setSaid, gone && sentence(reasonText(gone) ?? t('The runtime is gone')))
  useSaid(setSaid, memory && t('Memory is nearly full.'))
  useSaid(setSaid, packages.length > 0 ? t('Restart the session to use the packages you installed.') : null)
  return said
}

function useSaid(setSaid: Dispatch<SetStateAction<string>>, text: string | null): void {
  useEffect(() => {
    if (text === null) return
    setSaid(text)
    return () => setSaid((now) => (now === text ? '' : now))
  }, [setSaid, text])
}

const LISTED_MAX = 3

function list(packages: readonly PackageChange[]): string {
  const named = packages.slice(0, LISTED_MAX).map(({ name, from, to }) => (to === null ? t('{name} {from} (removed)', { name, from: from ?? '' }) : t('{name} {from} (now {to})', { name, from: from ?? '', to })))
  const more = packages.length - named.length
  return [...named, ...(more > 0 ? [t('{count} more', { count: more })] : [])].join(', ')
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
