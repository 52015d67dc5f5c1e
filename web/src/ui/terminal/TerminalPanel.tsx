/** Terminals of the runtime, at the foot of the page. */
import { EllipsisVertical, Plus, SquareTerminal, X } from 'lucide-react'
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react'
import { t } from '../../i18n'
import { inside, type RuntimeId, terminalAddress } from '../../api/inside'
import { Button, classes, IconButton, Menu, notifyError, Spinner } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import { tell } from '../files/news'
import { NotConnected } from '../files/NotConnected'
import { shown } from '../files/paths'
import { useReadyRuntime } from '../files/useRuntime'
import { useChrome, useDesk, useMay } from '../notebook/hooks'
import { Ports } from '../ports/Ports'
import { Screen } from './Screen'
import './terminal.css'

const HEIGHT_FIRST = 280
const HEIGHT_MIN = 120

export default function TerminalPanel() {
  const desk = useDesk()
  const open = useChrome((chrome) => chrome.terminal)
  const may = useMay('run')
  const runtime = useReadyRuntime()
  const [height, setHeight] = useKeptSize('terminal', HEIGHT_FIRST)
  const window_ = useWindowSize()
  const most = Math.max(HEIGHT_MIN, Math.round(window_.height * 0.7))
  const close = useCallback(() => desk.chrome.setState({ terminal: false }), [desk])
  if (!may) return null
  return (
    <section className="dock" aria-label={t('Terminal')} data-keys="own" hidden={!open} style={{ height: Math.min(height, most) }}>
      <Splitter label={t('Height of the terminal')} edge="top" size={height} min={HEIGHT_MIN} max={most} onSize={setHeight} />
      {runtime === null ? (
        <>
          <div className="terminal-head">
            <h2>{t('Terminal')}</h2>
            <span className="grow" />
            <IconButton label={t('Close the terminal')} icon={<X size={16} aria-hidden />} onClick={close} />
          </div>
          <div className="terminal-none">
            <NotConnected icon={<SquareTerminal size={36} aria-hidden />}>{t('Connect to a runtime to open a shell in it.')}</NotConnected>
          </div>
        </>
      ) : (
        <Terminals key={runtime} runtime={runtime} open={open} close={close} />
      )}
    </section>
  )
}

interface Tab {
  readonly name: string
  readonly number: number
  readonly old: boolean
  readonly title: string
}

const READER = 'collegium.terminal.screen-reader'

function Terminals({ runtime, open, close }: { runtime: RuntimeId; open: boolean; close: () => void }) {
  const desk = useDesk()
  const [tabs, setTabs] = useState<readonly Tab[] | null>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [reader, setReader] = useState(keptReader)
  const numbers = useRef(0)
  const list = useRef<HTMLDivElement>(null)
  const tab = (name: string, old: boolean): Tab => ({ name, number: ++numbers.current, old, title: '' })

  const start = async (instead: string | null) => {
    setError(null)
    try {
      const made = tab((await inside.openTerminal(runtime)).name, false)
      setTabs((tabs) => {
        const at = (tabs ?? []).findIndex(({ name }) => name === instead)
        return at < 0 ? [...(tabs ?? []), made] : tabs!.with(at, made)
      })
      setChosen(made.name)
    } catch (cause) {
      if (instead === null && (tabs?.length ?? 0) === 0) setError(cause instanceof Error ? cause.message : String(cause))
      else notifyError(t('The terminal could not be opened'), cause)
    }
  }
  const begin = async () => {
    setError(null)
    setTabs(null)
    try {
      const running = await inside.terminals(runtime)
      if (running.length === 0) return start(null)
      setTabs(running.map(({ name }) => tab(name, true)))
      setChosen(running.at(-1)!.name)
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    }
  }
  const begun = useRef(false)
  useEffect(() => {
    // Once for this runtime, and again when the panel comes back without a terminal.
    if (!open || begun.current) return
    begun.current = true
    void begin()
  })

  const end = async (name: string) => {
    const at = tabs!.findIndex((one) => one.name === name)
    const left = tabs!.filter((one) => one.name !== name)
    setTabs(left)
    if (chosen === name) setChosen(left[Math.min(at, left.length - 1)]?.name ?? null)
    if (left.length === 0) {
      begun.current = false
      close()
    }
    try {
      await inside.closeTerminal(runtime, name)
    } catch {
      // It has ended already; if not, it is there again when the panel is opened anew.
    }
  }
  const key = (event: KeyboardEvent) => {
    const at = tabs?.findIndex(({ name }) => name === chosen) ?? -1
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: (tabs?.length ?? 0) - 1 }[event.key]
    const next = to === undefined ? undefined : tabs?.[to]
    if (event.key === 'Delete' && chosen !== null) void end(chosen)
    else if (next) {
      setChosen(next.name)
      requestAnimationFrame(focusTab)
    } else return
    event.preventDefault()
  }
  const focusTab = () => list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus()

  return (
    <>
      <div className="terminal-head">
        <div role="tablist" aria-label={t('Terminals')} className="terminal-tabs" ref={list} onKeyDown={key}>
          {tabs?.map(({ name, number, title }) => (
            <div key={name} role="none" className={classes('terminal-tab', chosen === name && 'terminal-tab-on')}>
              <button type="button" role="tab" id={`terminal-tab-${name}`} aria-selected={chosen === name} aria-controls={`terminal-${name}`} aria-description={t('Delete ends it')} tabIndex={chosen === name ? 0 : -1} title={title === '' ? undefined : shown(title)} onClick={() => setChosen(name)}>
                <SquareTerminal size={14} aria-hidden /> {t('Terminal {number}', { number })}
              </button>
              <span className="terminal-tab-close" aria-hidden title={t('End this terminal')} onClick={() => void end(name)}>
                <X size={14} />
              </span>
            </div>
          ))}
        </div>
        <IconButton label={t('New terminal')} icon={<Plus size={18} aria-hidden />} onClick={() => void start(null)} />
        <span className="grow" />
        <Ports runtime={runtime} />
        <Menu
          align="end"
          trigger={
            <button type="button" className="icon-button" aria-label={t('Terminal settings')}>
              <EllipsisVertical size={18} aria-hidden />
            </button>
          }
          items={[
            {
              label: t('Screen reader support'),
              checked: reader,
              onSelect: () => {
                keepReader(!reader)
                setReader(!reader)
              },
            },
            'separator',
            { label: t('End this terminal'), danger: true, disabled: chosen === null, onSelect: () => void end(chosen!) },
            { heading: t('Ctrl+Shift+↑ leaves the terminal') },
          ]}
        />
        <IconButton label={t('Close the terminal')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      {error !== null ? (
        <div className="terminal-none" role="alert">
          <p>{error}</p>
          <Button small weight="soft" onClick={() => void begin()}>
            {t('Try again')}
          </Button>
        </div>
      ) : tabs === null ? (
        <div className="terminal-none">
          <Spinner label={t('Opening a terminal')} />
        </div>
      ) : (
        tabs.map(({ name, number, old }) => (
          <div key={name} role="tabpanel" id={`terminal-${name}`} aria-labelledby={`terminal-tab-${name}`} hidden={chosen !== name} className="terminal-panel">
            <Screen
              url={terminalAddress(runtime, name)}
              label={t('Terminal {number}', { number })}
              shown={open && chosen === name}
              old={old}
              screenReader={reader}
              onLeave={focusTab}
              onTitle={(title) => setTabs((tabs) => tabs?.map((one) => (one.name === name ? { ...one, title } : one)) ?? null)}
              onRestart={() => void start(name)}
              onQuiet={() => tell(desk, { what: 'perhaps' })}
            />
          </div>
        ))
      )}
    </>
  )
}

function keptReader(): boolean {
  try {
    return localStorage.getItem(READER) === 'on'
  } catch {
    // Storage may be denied to this page.
    return false
  }
}

function keepReader(on: boolean): void {
  try {
    localStorage.setItem(READER, on ? 'on' : 'off')
  } catch {
    // As above: it then lasts as long as the page.
  }
}
