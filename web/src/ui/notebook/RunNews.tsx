/** News of what runs, for who looks elsewhere: in the tab's title and sign, on the desktop, and for screen readers. */
import { useEffect, useReducer, useState } from 'react'
import { useStore } from 'zustand'
import { t, tn } from '../../i18n'
import { type Ended, heard, NOTHING } from '../../model/batch'
import type { CellId, Execution, FromServer } from '../../model/wire'
import { settings, useSetting } from '../../settings/store'
import type { Desk } from './desk'
import { lasted } from './duration'
import { useDesk } from './hooks'
import { Telling } from './telling'
import { signTab } from './title'

const SHORT_MS = 1000
type Look = 'still' | 'running' | 'done' | 'failed'
const SIGNS: Readonly<Record<Look, string | null>> = { still: null, running: '●', done: '✓', failed: '✗' }
const COLOURS: Readonly<Record<Look, string | null>> = { still: null, running: '#f59e0b', done: '#22a565', failed: '#dc3d3d' }

export default function RunNews() {
  const desk = useDesk()
  const announces = useSetting((all) => all.accessibility.announce)
  // Each is another element, so that the same words said again are heard again.
  const [said, say] = useReducer(([turn]: readonly [number, string], words: string) => [turn + 1, words] as const, [0, ''] as const)
  const [ended, setEnded] = useState<Ended | null>(null)
  useEffect(() => {
    const telling = new Telling(say)
    const ends = [
      () => telling.close(),
      followPeople(desk, (words) => telling.person(words)),
      followRuns(desk, (execution) => tell(desk, telling, execution), (news) => {
        if (!looking()) setEnded(news)
        notifyDesktop(desk, news)
      }),
    ]
    return () => ends.forEach((end) => end())
  }, [desk])
  useEffect(() => {
    const seen = () => looking() && setEnded(null)
    document.addEventListener('visibilitychange', seen)
    addEventListener('focus', seen)
    return () => {
      document.removeEventListener('visibilitychange', seen)
      removeEventListener('focus', seen)
    }
  }, [])
  const running = useLong(useStore(desk.session.state, ({ queue, kernel }) => queue.length > 0 || kernel?.state === 'busy'))
  const look: Look = running ? 'running' : ended === null ? 'still' : ended.failed === null ? 'done' : 'failed'
  useEffect(() => {
    signTab('run', SIGNS[look])
    markIcon(COLOURS[look])
  }, [look])
  useEffect(() => () => {
    signTab('run', null)
    markIcon(null)
  }, [])
  return (
    <p className="visually-hidden" role="status" aria-label={t('News of the notebook')}>
      {announces && <span key={said[0]}>{said[1]}</span>}
    </p>
  )
}

const looking = (): boolean => !document.hidden && document.hasFocus()

/** What is over within a second is not worth a sign. */
function useLong(now: boolean): boolean {
  const [long, setLong] = useState(false)
  useEffect(() => {
    if (!now) return setLong(false)
    const timer = setTimeout(() => setLong(true), SHORT_MS)
    return () => clearTimeout(timer)
  }, [now])
  return long
}

/** Of this person's own runs: those of others end at others' desks. */
function followRuns(desk: Desk, changed: (execution: Execution) => void, ended: (news: Ended) => void): () => void {
  let batch = NOTHING
  const hear = (execution: Execution) => {
    if (execution.user?.id !== desk.me.id || execution.saved === true) return
    const [next, news] = heard(batch, execution)
    batch = next
    if (news) ended(news)
  }
  // This part of the page comes a moment after the cells: something may have been asked for by then.
  for (const { execution } of desk.session.all().values()) hear(execution)
  return desk.room.listen((message: FromServer) => {
    if (message.type === 'cells') message.executions.forEach(hear)
    if (message.type !== 'execution') return
    hear(message)
    if (message.user?.id === desk.me.id) changed(message)
  })
}

function tell(desk: Desk, telling: Telling, { cell, state }: Execution): void {
  if (state !== 'running' && state !== 'finished' && state !== 'failed') return
  const error = desk.session.run(cell)?.outputs.findLast((output) => output.output_type === 'error')
  telling.run({ cell, number: desk.outline.current().indexOf(cell) + 1, state, error: state === 'failed' && error?.output_type === 'error' ? error.ename : undefined })
}

/** Tells who comes and goes, by name. */
function followPeople(desk: Desk, say: (words: string) => void): () => void {
  const { awareness } = desk.room
  const names = () => new Map([...awareness.getStates().values()].flatMap(({ user }) => (user?.id !== undefined && user.id !== desk.me.id ? [[user.id as string, user.name as string]] : [])))
  let before = names()
  const changed = () => {
    const now = names()
    const came = [...now].filter(([id]) => !before.has(id)).map(([, name]) => t('{name} is here', { name }))
    const went = [...before].filter(([id]) => !now.has(id)).map(([, name]) => t('{name} has left', { name }))
    before = now
    if (came.length + went.length > 0) say([...came, ...went].join('. '))
  }
  awareness.on('change', changed)
  return () => awareness.off('change', changed)
}

function notifyDesktop(desk: Desk, { ms, cells, failed }: Ended): void {
  const { notifyAfter } = settings.getState().site
  if (notifyAfter === 0 || ms < notifyAfter * 1000 || looking() || typeof Notification === 'undefined' || Notification.permission !== 'granted') return
  const took = lasted(ms)
  const title = failed === null ? t('Done after {took}', { took }) : t('Failed after {took}', { took })
  const news = new Notification(title, { body: `${desk.room.state.getState().name}: ${tn('{count} cell', '{count} cells', cells.length)}`, tag: desk.id })
  news.onclick = () => {
    window.focus()
    news.close()
    const cell: CellId | undefined = failed ?? cells.at(-1)
    if (cell !== undefined) desk.goTo(cell)
  }
}

let plainIcon: string | undefined

/** A dot at the corner of the tab's sign; null: as it was. */
function markIcon(colour: string | null): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) return
  plainIcon ??= link.href
  link.href = colour === null ? plainIcon : `data:image/svg+xml,${encodeURIComponent(drawn(colour))}`
}

const drawn = (colour: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9.5" fill="#3557d6"/><path d="M22.6 10.9a8.4 8.4 0 1 0 0 10.2" fill="none" stroke="#fff" stroke-width="3.1" stroke-linecap="round"/><circle cx="24.5" cy="24.5" r="7.5" fill="${colour}" stroke="#fff" stroke-width="2"/></svg>`
