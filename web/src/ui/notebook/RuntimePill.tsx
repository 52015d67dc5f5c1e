/** The machine behind the notebook: connect to it, see how it is, let it go. */
import { ChevronDown, Plug } from 'lucide-react'
import type { SessionState } from '../../session/session'
import { classes, Menu } from '../kit'
import { useDesk, useMay, useSession } from './hooks'

type Tone = 'none' | 'wait' | 'good' | 'busy' | 'bad'

export function RuntimePill() {
  const desk = useDesk()
  const state = useSession((session) => session)
  const mayRun = useMay('run')
  const { text, tone } = describe(state)
  const connected = state.runtime !== null && state.runtime.state !== 'stopped' && state.runtime.state !== 'failed'
  return (
    <div className="runtime">
      <span className="runtime-status">
        <span className={classes('runtime-dot', `runtime-${tone}`)} aria-hidden />
        <span role="status" aria-label="Runtime status">
          {text}
        </span>
      </span>
      {mayRun && !connected && (
        <button type="button" className="runtime-connect" disabled={state.connecting} onClick={() => desk.session.connect()}>
          <Plug size={14} aria-hidden /> Connect
        </button>
      )}
      {mayRun && connected && (
        <Menu
          align="end"
          trigger={
            <button type="button" className="runtime-more" aria-label="Runtime">
              <ChevronDown size={14} aria-hidden />
            </button>
          }
          items={[
            { heading: `Python · ${state.runtime.type} · ${state.runtime.version}` },
            { label: 'Interrupt execution', onSelect: () => desk.session.command('interrupt') },
            { label: 'Restart session', onSelect: () => desk.session.command('restart') },
            'separator',
            { label: 'Disconnect and delete runtime', danger: true, onSelect: () => desk.session.command('disconnect') },
          ]}
        />
      )}
    </div>
  )
}

/** The first word is what others read: it is one of six. */
export function describe({ runtime, kernel, connecting }: SessionState): { readonly text: string; readonly tone: Tone } {
  if (runtime === null || runtime.state === 'stopped') return connecting ? { text: 'Connecting…', tone: 'wait' } : { text: 'Not connected', tone: 'none' }
  if (runtime.state === 'failed') return connecting ? { text: 'Connecting…', tone: 'wait' } : { text: because('Disconnected', runtime.reason), tone: 'bad' }
  if (runtime.state === 'stopping') return { text: 'Disconnected', tone: 'none' }
  if (runtime.state !== 'ready') return { text: 'Connecting…', tone: 'wait' }
  switch (kernel?.state) {
    case undefined:
    case 'idle':
      return { text: 'Idle', tone: 'good' }
    case 'starting':
      return { text: 'Connecting…', tone: 'wait' }
    case 'busy':
      return { text: 'Busy', tone: 'busy' }
    case 'restarting':
      return { text: 'Restarting…', tone: 'wait' }
    case 'dead':
      return { text: because('Disconnected', kernel?.reason ?? 'the kernel died'), tone: 'bad' }
  }
}

const because = (word: string, reason: string | null | undefined) => (reason ? `${word}: ${reason}` : word)
