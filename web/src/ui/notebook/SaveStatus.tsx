/** Whether what is on the screen is on the server's disk: only its own acknowledgements say so. */
import { Check, CloudOff, RefreshCw } from 'lucide-react'
import { useEffect } from 'react'
import { useStore } from 'zustand'
import { useDesk, useRoom } from './hooks'

export function SaveStatus() {
  const { room } = useDesk()
  const waiting = useStore(room.unsaved)
  const connection = useRoom((state) => state.connection)
  useUnloadWarning()
  const offline = connection === 'offline' || connection === 'ended'
  const joining = connection === 'connecting'
  const text = joining ? '' : offline ? 'Offline' : waiting > 0 ? 'Saving…' : 'Saved'
  const icon = joining ? null : offline ? <CloudOff size={14} aria-hidden /> : waiting > 0 ? <RefreshCw size={14} aria-hidden /> : <Check size={14} aria-hidden />
  const edits = `${waiting} ${waiting === 1 ? 'edit' : 'edits'}`
  const title = offline
    ? waiting > 0 ? `${edits} kept in this browser until the server answers` : 'The server does not answer. What you type is kept in this browser'
    : waiting > 0 ? `${edits} on the way to the server’s disk` : 'Everything is on the server’s disk'
  return (
    <span className={`save-status${offline ? ' save-offline' : ''}`} title={title}>
      {icon}
      <span role="status" aria-label="Save status">
        {text}
      </span>
    </span>
  )
}

function useUnloadWarning(): void {
  const { room } = useDesk()
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (room.unsaved.getState() > 0) event.preventDefault()
    }
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [room])
}
