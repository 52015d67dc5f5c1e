/** The panel of comments: threads in the order of what they are about. */
import { ChevronsLeft, ChevronsRight, MessageSquare, X } from 'lucide-react'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { msg, t } from '../../i18n'
import { useArrival } from '../arrival'
import { Avatar, Button, EmptyState, IconButton, Spinner } from '../kit'
import { useDesk, useMay, useOrder } from '../notebook/hooks'
import type { Thread } from './api'
import { focusThread } from './attend'
import { Composer } from './Composer'
import { type Comments, type Filter, NEW, type Talking } from './store'
import { Pending, ThreadCard } from './ThreadCard'

const FILTERS: readonly { readonly filter: Filter; readonly label: string }[] = [
  { filter: 'open', label: msg('Unresolved') },
  { filter: 'resolved', label: msg('Resolved') },
  { filter: 'mine', label: msg('Mine') },
]

export function Panel({ comments }: { comments: Comments }) {
  const desk = useDesk()
  const minimised = useStore(comments.state, (state) => state.minimised)
  const panel = useArrival(!minimised, () => desk.showComments(false))
  if (minimised) return <Minimised comments={comments} />
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-right comments" aria-label={t('Comments')} data-keys="own">
      <div className="panel-head">
        <h2>{t('Comments')}</h2>
        <span>
          <IconButton label={t('Minimise comments')} icon={<ChevronsRight size={16} aria-hidden />} onClick={() => comments.state.setState({ minimised: true })} />
          <IconButton label={t('Close comments')} icon={<X size={16} aria-hidden />} onClick={() => desk.showComments(false)} />
        </span>
      </div>
      <Filters comments={comments} />
      <Content comments={comments} />
    </aside>
  )
}

function Filters({ comments }: { comments: Comments }) {
  const filter = useStore(comments.state, (state) => state.filter)
  return (
    <div className="comments-filters" role="group" aria-label={t('Which threads')}>
      {FILTERS.map((one) => (
        <button key={one.filter} type="button" aria-pressed={filter === one.filter} onClick={() => comments.state.setState({ filter: one.filter })}>
          {t(one.label)}
        </button>
      ))}
    </div>
  )
}

function Content({ comments }: { comments: Comments }) {
  const { state, why, focused, found, filter, begun, unsent } = useStore(comments.state)
  const threads = useThreads(comments)
  const mayComment = useMay('comment')
  if (state === 'loading') return <div className="comments-waiting"><Spinner /></div>
  if (state === 'refused') return <EmptyState icon={<MessageSquare size={36} aria-hidden />} title={t('No comments for you')}>{t('People who are signed in and may see the notebook see what is said about it.')}</EmptyState>
  if (state === 'failed')
    return (
      <EmptyState icon={<MessageSquare size={36} aria-hidden />} title={t('The comments did not come')} actions={<Button onClick={() => void comments.load()}>{t('Try again')}</Button>}>
        {why}
      </EmptyState>
    )
  return (
    <>
      <Begun comments={comments} />
      {threads.length === 0 && begun === null && unsent.length === 0 && <Nothing filter={filter} mayComment={mayComment} />}
      <ol className="threads" aria-label={t('Threads')}>
        {threads.map((thread) => (
          <ThreadCard key={thread.id} comments={comments} thread={thread} found={found.get(thread.id)} focused={focused === thread.id} />
        ))}
      </ol>
    </>
  )
}

function Nothing({ filter, mayComment }: { filter: Filter; mayComment: boolean }) {
  if (filter !== 'open') return <p className="panel-note">{filter === 'mine' ? t('You are in no thread.') : t('No thread is resolved.')}</p>
  return (
    <EmptyState icon={<MessageSquare size={36} aria-hidden />} title={t('No comments')}>
      {mayComment ? t('Select some text, or take the button of a cell, to say something about it.') : t('Nobody has said anything about this notebook yet.')}
    </EmptyState>
  )
}

/** A thread that is being begun, and those that were and have not arrived. */
function Begun({ comments }: { comments: Comments }) {
  const begun = useStore(comments.state, (state) => state.begun)
  const unsent = useStore(comments.state, (state) => state.unsent).filter((one) => one.thread === null)
  const mayComment = useMay('comment')
  return (
    <>
      {unsent.map((one) => (
        <div key={one.draft} className="thread">
          {one.place && one.place.quote !== '' && <q className="thread-quote">{one.place.quote}</q>}
          <Pending comments={comments} one={one} />
        </div>
      ))}
      {begun && mayComment && (
        <div className="thread thread-focused" role="group" aria-label={t('New comment')}>
          <div className="thread-head">{begun.quote !== '' ? <q className="thread-quote">{begun.quote}</q> : <span className="thread-cell">{t('On the cell')}</span>}</div>
          <Composer
            key={`${begun.cell}/${begun.quote}`}
            notebook={comments.notebook}
            label={t('Comment')}
            placeholder={t('Comment, or mention somebody with @')}
            initial={comments.draft(NEW)}
            send="Comment"
            autoFocus
            onChange={(text) => comments.write(NEW, text)}
            onSend={(text) => comments.say(NEW, text)}
            onCancel={() => comments.leave()}
          />
        </div>
      )}
    </>
  )
}

/** The panel as a strip: a face for each open thread. */
function Minimised({ comments }: { comments: Comments }) {
  const desk = useDesk()
  const threads = useThreads(comments)
  return (
    <aside className="panel panel-right comments comments-minimised" aria-label={t('Comments')} data-keys="own">
      <IconButton label={t('Expand comments')} icon={<ChevronsLeft size={16} aria-hidden />} onClick={() => comments.state.setState({ minimised: false })} />
      <ol className="comments-faces" aria-label={t('Threads')}>
        {threads.map((thread) => {
          const by = thread.comments[0]!.by
          return (
            <li key={thread.id}>
              <button type="button" aria-label={t('Thread begun by {name}', { name: by.name })} title={thread.comments[0]!.text.slice(0, 120)} onClick={() => focusThread(desk, comments, thread.id)}>
                <Avatar name={by.name} color={by.color} size={28} decorative />
              </button>
            </li>
          )
        })}
      </ol>
    </aside>
  )
}

/** The threads that are asked for, as what they are about stands on the page; what has lost its place comes last. */
function useThreads(comments: Comments): readonly Thread[] {
  const order = useOrder()
  const me = useDesk().me.id
  const { threads, found, filter } = useStore(comments.state)
  return useMemo(() => {
    const cells = new Map(order.map((id, at) => [id, at]))
    const place = (thread: Thread): readonly [number, number, number] => {
      const where = found.get(thread.id)
      const lost = where?.kind === 'lost' && where.what === 'cell'
      return [lost ? Infinity : (cells.get(thread.place.cell) ?? Infinity), where?.kind === 'range' ? where.range.from : -1, thread.number]
    }
    const wanted = [...threads.values()].filter((thread) => fits(thread, filter, me))
    const placed = wanted.map((thread) => ({ thread, at: place(thread) }))
    placed.sort((a, b) => compare(a.at, b.at))
    return placed.map(({ thread }) => thread)
  }, [order, threads, found, filter, me])
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, one] of a.entries()) if (one !== b[at]) return one < b[at]! ? -1 : 1
  return 0
}

function fits(thread: Thread, filter: Talking['filter'], me: string): boolean {
  switch (filter) {
    case 'open':
      return thread.resolved_at === null
    case 'resolved':
      return thread.resolved_at !== null
    case 'mine':
      return thread.comments.some((one) => !one.deleted && (one.by.id === me || one.mentions.some((person) => person.id === me)))
  }
}
