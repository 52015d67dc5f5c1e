/** One thread: what it is about, what was said, and what one may do with it. */
import { Check, EllipsisVertical, RotateCcw } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { ApiError } from '../../api/client'
import type { Found } from '../../model/anchors'
import { Avatar, Button, classes, IconButton, Menu, type MenuEntry, notify, notifyError } from '../kit'
import { useDesk, useMay, useRoom } from '../notebook/hooks'
import { type Comment, talk, type Thread } from './api'
import { reveal } from './attend'
import { Composer } from './Composer'
import type { Comments, Unreached, Unsent } from './store'
import { Ago, Words } from './words'

const FIRST_SHOWN = 1
const LAST_SHOWN = 3

interface ThreadCardProps {
  readonly comments: Comments
  readonly thread: Thread
  readonly found: Found | undefined
  readonly focused: boolean
}

export function ThreadCard({ comments, thread, found, focused }: ThreadCardProps) {
  const desk = useDesk()
  const card = useRef<HTMLLIElement>(null)
  const mayComment = useMay('comment')
  const unsent = useStore(comments.state, (state) => state.unsent).filter((one) => one.thread === thread.id)
  const unreached = useStore(comments.state, (state) => state.unreached.get(thread.id))
  const [all, setAll] = useState(false)
  const said = thread.comments
  const folded = !all && !focused && said.length > FIRST_SHOWN + LAST_SHOWN + 1
  const shown = folded ? [...said.slice(0, FIRST_SHOWN), ...said.slice(-LAST_SHOWN)] : said
  useEffect(() => {
    if (!focused) return
    card.current?.scrollIntoView({ block: 'nearest' })
    reveal(desk, comments, thread)
    // Once for each time it gets the focus, and not with every reply.
  }, [focused, desk, comments])
  const resolve = () => comments.resolve(thread).catch((error: unknown) => notifyError(t('The thread was not changed'), error))
  return (
    <li ref={card} className={classes('thread', focused && 'thread-focused')} data-thread-card={thread.id} onClick={() => focused || comments.state.setState({ focused: thread.id })}>
      <div className="thread-head">
        <button type="button" className="thread-about" aria-label={about(thread, found)} onClick={() => (focused ? reveal(desk, comments, thread) : comments.state.setState({ focused: thread.id }))}>
          <About thread={thread} found={found} />
        </button>
        {mayComment && (
          <IconButton
            label={thread.resolved_at === null ? t('Resolve') : t('Reopen')}
            icon={thread.resolved_at === null ? <Check size={16} aria-hidden /> : <RotateCcw size={16} aria-hidden />}
            onClick={(event) => {
              event.stopPropagation()
              void resolve()
            }}
          />
        )}
        <ThreadMenu comments={comments} thread={thread} />
      </div>
      <ol className="thread-comments" aria-label={t('Comments in this thread')}>
        {shown.map((comment, at) => (
          <li key={comment.id}>
            {folded && at === FIRST_SHOWN && (
              <button type="button" className="thread-more" onClick={() => setAll(true)}>
                {t('Show {count} more', { count: said.length - FIRST_SHOWN - LAST_SHOWN })}
              </button>
            )}
            <Said comments={comments} thread={thread} comment={comment} />
          </li>
        ))}
        {unsent.map((one) => (
          <li key={one.draft}>
            <Pending comments={comments} one={one} />
          </li>
        ))}
      </ol>
      {thread.resolved_at !== null && thread.resolved_by && (
        <p className="thread-resolved">
          <Check size={14} aria-hidden /> {t('Resolved by {name}', { name: thread.resolved_by.name })} <Ago at={thread.resolved_at} />
        </p>
      )}
      {unreached && <NotReached comments={comments} thread={thread} unreached={unreached} />}
      {mayComment && (focused || comments.draft(thread.id) !== '') && (
        <Composer
          notebook={comments.notebook}
          label={t('Reply')}
          placeholder={t('Reply, or mention somebody with @')}
          initial={comments.draft(thread.id)}
          send="Reply"
          onChange={(text) => comments.write(thread.id, text)}
          onSend={(text) => comments.say(thread.id, text)}
        />
      )}
    </li>
  )
}

function about(thread: Thread, found: Found | undefined): string {
  const words = thread.place.quote === '' ? t('the cell') : `“${thread.place.quote.slice(0, 80)}”`
  if (found?.kind !== 'lost') return t('About {words}: show it', { words })
  return found.what === 'cell' ? t('About {words} in a deleted cell', { words }) : t('About {words}, which was deleted', { words })
}

function About({ thread, found }: { thread: Thread; found: Found | undefined }) {
  const lost = found?.kind === 'lost' ? found.what : null
  return (
    <>
      {thread.place.quote !== '' ? <q className={classes('thread-quote', lost !== null && 'thread-quote-lost')}>{thread.place.quote}</q> : <span className="thread-cell">{t('On the cell')}</span>}
      {lost !== null && <span className="thread-lost">{lost === 'cell' ? t('The cell was deleted') : t('The text was deleted')}</span>}
    </>
  )
}

function ThreadMenu({ comments, thread }: { comments: Comments; thread: Thread }) {
  const desk = useDesk()
  const owner = useRoom((state) => state.role === 'owner')
  const mine = thread.comments.every((one) => one.deleted || one.by.id === desk.me.id)
  const mayComment = useMay('comment')
  const items: MenuEntry[] = [
    { label: t('Copy link'), onSelect: () => void copyLink(thread.id) },
    ...(mayComment && (owner || mine)
      ? [{ label: t('Delete thread'), danger: true, onSelect: () => void comments.remove(thread.id).catch((error: unknown) => notifyError(t('The thread was not deleted'), error)) } satisfies MenuEntry]
      : []),
  ]
  return <Menu align="end" items={items} trigger={<button type="button" className="icon-button" aria-label={t('More about this thread')}><EllipsisVertical size={16} aria-hidden /></button>} />
}

async function copyLink(thread: string): Promise<void> {
  const link = `${location.origin}${location.pathname}#comment=${thread}`
  try {
    await navigator.clipboard.writeText(link)
    notify({ title: t('Link to the comment copied'), kind: 'good' })
  } catch {
    // Without https a page may not write the clipboard; the address bar then holds the link.
    history.replaceState(null, '', link)
    notify({ title: t('The link to the comment is in the address bar now'), detail: t('Copy it from there: this browser gives the clipboard only to https pages.') })
  }
}

function Said({ comments, thread, comment }: { comments: Comments; thread: Thread; comment: Comment }) {
  const desk = useDesk()
  const owner = useRoom((state) => state.role === 'owner')
  const mayComment = useMay('comment')
  const [editing, setEditing] = useState<'no' | 'yes' | 'sending'>('no')
  const [failure, setFailure] = useState<string>()
  const own = comment.by.id === desk.me.id
  const items: MenuEntry[] = [
    ...(own ? [{ label: t('Edit'), onSelect: () => setEditing('yes') } satisfies MenuEntry] : []),
    ...(own || owner ? [{ label: t('Delete'), danger: true, onSelect: () => void comments.removeComment(thread.id, comment.id).catch((error: unknown) => notifyError(t('The comment was not deleted'), error)) } satisfies MenuEntry] : []),
  ]
  const edit = async (text: string) => {
    setEditing('sending')
    try {
      await comments.edit(thread.id, comment.id, text)
      setEditing('no')
      setFailure(undefined)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setEditing('yes')
      setFailure(error.message)
    }
  }
  return (
    <article className="comment" aria-label={`${comment.by.name}`}>
      <Avatar name={comment.by.name} color={comment.by.color} size={26} decorative />
      <div className="comment-head">
        <strong className="comment-name">{comment.by.name}</strong>
        <span className="comment-when">
          <Ago at={comment.at} />
          {comment.edited_at !== null && !comment.deleted && t(' · edited')}
        </span>
      </div>
      {mayComment && !comment.deleted && items.length > 0 && editing === 'no' && (
        <Menu align="end" items={items} trigger={<button type="button" className="icon-button comment-menu" aria-label={t('More about this comment')}><EllipsisVertical size={14} aria-hidden /></button>} />
      )}
      <div className="comment-body">
        {editing !== 'no' ? (
          <Composer notebook={comments.notebook} label={t('Edit comment')} initial={comment.text} send="Save" autoFocus keep busy={editing === 'sending'} error={failure} onSend={(text) => void edit(text)} onCancel={() => setEditing('no')} />
        ) : comment.deleted ? (
          <p className="comment-deleted">{t('Deleted')}</p>
        ) : (
          <Words text={comment.text} mentions={comment.mentions} />
        )}
      </div>
    </article>
  )
}

/** What was said here and is not there yet, or was not taken. */
export function Pending({ comments, one }: { comments: Comments; one: Unsent }) {
  const desk = useDesk()
  return (
    <article className="comment comment-pending" aria-label={t('Your comment, not sent yet')}>
      <Avatar name={desk.me.name} color={desk.me.color} size={26} decorative />
      <div className="comment-head">
        <strong className="comment-name">{desk.me.name}</strong>
        <span className="comment-when">{one.failed === null ? t('Sending…') : t('Not sent')}</span>
      </div>
      <div className="comment-body">
        <Words text={one.text} mentions={[]} />
        {one.failed !== null && (
          <>
            <p className="comment-failure">{one.failed}</p>
            <div className="composer-actions">
              <Button small weight="ghost" onClick={() => comments.discard(one.draft)}>{t('Discard')}</Button>
              <Button small weight="soft" onClick={() => comments.again(one.draft)}>{t('Try again')}</Button>
            </div>
          </>
        )}
      </div>
    </article>
  )
}

/** Who may not see the notebook was not told; its owner can change that here. */
function NotReached({ comments, thread, unreached }: { comments: Comments; thread: Thread; unreached: Unreached }) {
  const owner = useRoom((state) => state.role === 'owner')
  const [busy, setBusy] = useState(false)
  const names = unreached.addresses.join(', ')
  const share = async () => {
    const comment = thread.comments.find((one) => one.id === unreached.comment)
    if (!comment) return
    setBusy(true)
    try {
      for (const address of unreached.addresses) await talk.share(comments.notebook, address)
      // Said again in the same words, it reaches those whom it did not reach before.
      await comments.edit(thread.id, comment.id, comment.text)
    } catch (error) {
      notifyError(t('The notebook was not shared'), error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="thread-unreached" role="status">
      <p>{t('Not told, since they cannot see this notebook: {names}', { names })}</p>
      {owner && <Button small busy={busy} onClick={() => void share()}>{t('Share with them')}</Button>}
    </div>
  )
}
