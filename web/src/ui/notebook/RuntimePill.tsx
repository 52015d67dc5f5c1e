/** The machine behind the notebook: connect to it, see how it is and what it uses, let it go. */
import { ChevronDown, Plug } from 'lucide-react'
import { useStore } from 'zustand'
import { msg, t } from '../../i18n'
import { ordinal } from '../../i18n/moments'
import { reasonText } from '../../i18n/reasons'
import { ofText, share } from '../../model/usage'
import { isHere, type SessionState } from '../../session/session'
import { classes, Hint, Menu, type MenuEntry } from '../kit'
import { usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import type { Desk } from './desk'
import { useDesk, useMay, useSession } from './hooks'

type Tone = 'none' | 'wait' | 'good' | 'busy' | 'bad'

export function RuntimePill() {
  const desk = useDesk()
  const state = useSession((session) => session)
  const mayRun = useMay('run')
  const { text, tone } = describe(state)
  const connected = isHere(state.runtime)
  const ready = state.runtime?.state === 'ready'
  const progress = state.runtime && reasonText({ reason: state.runtime.progress ?? null, why: state.runtime.progress_why ?? null })
  return (
    <div className="runtime">
      <span className="runtime-status" title={progress ?? text}>
        <span className={classes('runtime-dot', `runtime-${tone}`)} aria-hidden />
        <span role="status" aria-label={t('Runtime status')}>
          {text}
        </span>
        {/* Changes several times a second, which is not to be read out. */}
        {!ready && connected && progress && <span className="runtime-progress">{progress}</span>}
      </span>
      {mayRun && state.runtime?.queue && (
        <button type="button" className="runtime-cancel" onClick={() => desk.session.command('disconnect')}>
          {t('Cancel')}
        </button>
      )}
      {ready && <Meters />}
      {mayRun && !connected && (
        <button type="button" className="runtime-connect" disabled={state.connecting} onClick={() => desk.session.connect()}>
          <Plug size={14} aria-hidden />{' '}{t('Connect')}
        </button>
      )}
      <Menu
        align="end"
        trigger={
          <button type="button" className="runtime-more" aria-label={t('Runtime options')}>
            <ChevronDown size={14} aria-hidden />
          </button>
        }
        items={entries(desk, state)}
      />
    </div>
  )
}

/** RAM and disk at a glance, as Colab shows them. */
function Meters() {
  const desk = useDesk()
  const use = useStore(desk.session.usage, ({ now }) => now)
  const shown = [
    { name: msg('RAM'), part: use?.memory_bytes, whole: use?.memory_limit_bytes },
    { name: msg('Disk'), part: use?.disk_bytes, whole: use?.disk_limit_bytes },
  ].map(({ name, part, whole }) => ({ name, full: share(part ?? 0, whole ?? 0), text: typeof part === 'number' && typeof whole === 'number' ? `${t(name)} ${ofText(part, whole)}` : null }))
  const known = shown.flatMap(({ text }) => text ?? [])
  return (
    <Hint side="bottom" text={known.length > 0 ? known.map((text) => <div key={text}>{text}</div>) : t('Resources')}>
      <button type="button" className="runtime-meters" aria-label={[t('Resources'), ...known].join(', ')} onClick={() => desk.showResources(!desk.chrome.getState().resources)}>
        {shown.map(({ name, full }) => (
          <span key={name} className="runtime-meter" data-name={name} aria-hidden>
            <span className="meter">
              <span className={classes('meter-part', fullness(full))} style={{ width: `${full * 100}%` }} />
            </span>
          </span>
        ))}
      </button>
    </Hint>
  )
}

export const fullness = (full: number) => (full >= 0.95 ? 'meter-full' : full >= 0.85 && 'meter-high')

const ENTRIES: readonly (readonly string[])[] = [['connect'], ['sessions', 'view-resources', 'runtime-type'], ['interrupt', 'restart'], ['disconnect']]

function entries(desk: Desk, { runtime }: SessionState): MenuEntry[] {
  const groups = ENTRIES.map((ids) => ids.flatMap((id): MenuEntry[] => {
    const command = COMMANDS.find((one) => one.id === id)!
    const possible = usable(command, desk)
    if (id === 'connect' && !possible) return []
    return [{ label: t(command.name), disabled: !possible, danger: id === 'disconnect', onSelect: () => command.run(desk) }]
  }))
  const heading: MenuEntry[] = isHere(runtime) && runtime.id !== '' ? [{ heading: t('{value} · version {version}', { value: runtime.label ?? runtime.type, version: runtime.version }) }] : []
  return groups.filter((group) => group.length > 0).reduce((all, group, at) => [...all, ...(at > 0 ? (['separator'] as const) : []), ...group], heading)
}

/** The first word is what others read: it is one of six. */
export function describe({ runtime, kernel, connecting }: SessionState): { readonly text: string; readonly tone: Tone } {
  if (runtime === null || runtime.state === 'stopped') return connecting ? { text: t('Connecting…'), tone: 'wait' } : { text: t('Not connected'), tone: 'none' }
  if (runtime.state === 'failed') return connecting ? { text: t('Connecting…'), tone: 'wait' } : { text: because(t('Disconnected'), reasonText(runtime)), tone: 'bad' }
  if (runtime.state === 'stopping') return { text: t('Disconnected'), tone: 'none' }
  if (runtime.queue) {
    const { position, of } = runtime.queue
    return { text: t('Connecting… Waiting for {value}: {ordinal} of {of}', { value: runtime.label ?? runtime.type, ordinal: ordinal(position), of }), tone: 'wait' }
  }
  if (runtime.state !== 'ready') return { text: t('Connecting…'), tone: 'wait' }
  switch (kernel?.state) {
    case undefined:
    case 'idle':
      return { text: t('Idle'), tone: 'good' }
    case 'starting':
      return { text: t('Connecting…'), tone: 'wait' }
    case 'busy':
      return { text: t('Busy'), tone: 'busy' }
    case 'restarting':
      return { text: t('Restarting…'), tone: 'wait' }
    case 'dead':
      return { text: because(t('Disconnected'), reasonText(kernel) ?? t('the kernel died')), tone: 'bad' }
  }
}

const because = (word: string, reason: string | null | undefined) => (reason ? `${word}: ${reason}` : word)
