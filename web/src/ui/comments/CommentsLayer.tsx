/** Comments on an open notebook: what is marked in the cells, and the panel beside them. */
import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { notify } from '../kit'
import { useChrome, useDesk } from '../notebook/hooks'
import { markThreadRead } from '../notifications/line'
import { attend, focusThread } from './attend'
import './comments.css'
import { Panel } from './Panel'
import { Comments } from './store'

export default function CommentsLayer() {
  const comments = useComments()
  const shown = useChrome((chrome) => chrome.comments)
  useEffect(() => {
    if (!shown) comments?.state.setState({ focused: null })
  }, [shown, comments])
  if (!comments) return null
  return (
    <>
      <Told comments={comments} />
      {shown && <Panel comments={comments} />}
    </>
  )
}

function useComments(): Comments | null {
  const desk = useDesk()
  const [comments, setComments] = useState<Comments | null>(null)
  useEffect(() => {
    const made = new Comments(desk.id, desk.me.id)
    const farewell = attend(desk, made)
    const stopReading = made.state.subscribe((now, before) => {
      if (now.focused !== null && now.focused !== before.focused) markThreadRead(now.focused)
    })
    const stopFollowing = followLink(made, (id) => focusThread(desk, made, id))
    setComments(made)
    return () => {
      stopFollowing()
      stopReading()
      farewell()
      made.close()
      setComments(null)
    }
  }, [desk])
  return comments
}

/** An address that ends in `#comment=thread` opens that thread, as soon as it is here. */
function followLink(comments: Comments, open: (thread: string) => void): () => void {
  let wanted: string | null = null
  const look = () => {
    const { state, threads } = comments.state.getState()
    if (wanted === null || state === 'loading') return
    const id = wanted
    wanted = null
    if (threads.has(id)) open(id)
    else if (state === 'here') notify({ title: t('This comment is not there any more'), detail: t('It may have been deleted.') })
  }
  const read = () => {
    const id = /^#comment=([0-9a-z]{1,64})$/.exec(location.hash)?.[1]
    if (id === undefined) return
    wanted = id
    look()
  }
  read()
  const stop = comments.state.subscribe(look)
  addEventListener('hashchange', read)
  return () => {
    stop()
    removeEventListener('hashchange', read)
  }
}

function Told({ comments }: { comments: Comments }) {
  const told = useStore(comments.state, (state) => state.told)
  return <div className="visually-hidden" role="status" aria-label={t('Comments said')}>{told}</div>
}
