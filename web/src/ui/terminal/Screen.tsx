/** One terminal on the screen: xterm.js on a line to the runtime. */
import { FitAddon } from '@xterm/addon-fit'
import { type ITheme, Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { useEffect, useRef, useState } from 'react'
import '../../outputs/text.css'
import { t, tn } from '../../i18n'
import { lessMotion } from '../../settings/apply'
import { Button, notify, Spinner, useShownTheme } from '../kit'
import { Line, type LineState } from './line'

export interface ScreenProps {
  readonly url: string
  readonly label: string
  readonly shown: boolean
  /** It ran before this page looked: what comes first is history, and history's questions are not answered. */
  readonly old: boolean
  readonly screenReader: boolean
  /** The keyboard is asked to leave the terminal. */
  readonly onLeave: () => void
  readonly onTitle: (title: string) => void
  readonly onRestart: () => void
  /** Something was typed, and what it made has settled. */
  readonly onQuiet: () => void
}

const SCROLLBACK_LINES = 5000
const HISTORY_MS = 200
const HISTORY_MS_MAX = 2000
const QUIET_MS = 600

export function Screen({ url, label, shown, old, screenReader, onLeave, onTitle, onRestart, onQuiet }: ScreenProps) {
  const host = useRef<HTMLDivElement>(null)
  const made = useRef<{ readonly terminal: Terminal; readonly fit: () => void } | null>(null)
  const [state, setState] = useState<LineState>({ is: 'connecting' })
  const theme = useShownTheme()
  const latest = useRef({ onLeave, onTitle, onQuiet, screenReader, label })
  latest.current = { onLeave, onTitle, onQuiet, screenReader, label }

  useEffect(() => {
    const element = host.current!
    const terminal = new Terminal({
      cursorBlink: !lessMotion(),
      fontFamily: getComputedStyle(element).fontFamily,
      fontSize: 13,
      lineHeight: 1.25,
      // A stranger's colours stay readable on both of our grounds.
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK_LINES,
      overviewRuler: { width: 10 },
      screenReaderMode: latest.current.screenReader,
      theme: themeOf(element),
      linkHandler: { activate: (_event, link) => offer(link) },
    })
    const addon = new FitAddon()
    terminal.loadAddon(addon)
    terminal.open(element)
    name(terminal, latest.current.label)

    let history = old ? HISTORY_MS_MAX : 0
    let historyEnds: ReturnType<typeof setTimeout> | undefined
    const historyMax = setTimeout(() => (history = 0), HISTORY_MS_MAX)
    let parsing = 0
    let quiet: ReturnType<typeof setTimeout> | undefined
    let typed = false
    const line = new Line(url, {
      printed: (data) => {
        const past = history > 0
        if (past) {
          clearTimeout(historyEnds)
          historyEnds = setTimeout(() => (history = 0), HISTORY_MS)
          parsing += 1
        }
        terminal.write(data, () => past && (parsing -= 1))
        if (!typed) return
        clearTimeout(quiet)
        quiet = setTimeout(() => {
          typed = false
          latest.current.onQuiet()
        }, QUIET_MS)
      },
      missed: (bytes) => terminal.write(`\x1b[0m\r\n\x1b[2m… ${tn('{count} byte is no longer kept', '{count} bytes are no longer kept', bytes)} …\x1b[0m\r\n`),
      turned: setState,
    })
    silence(terminal, () => parsing > 0)
    terminal.onData((data) => {
      // Who types has seen the past.
      history = 0
      typed ||= /[\r\x03\x04]/.test(data)
      line.type(data)
    })
    terminal.onBinary((data) => line.type(data))
    terminal.onTitleChange((title) => latest.current.onTitle(title))
    terminal.attachCustomKeyEventHandler((event) => keys(event, terminal, () => latest.current.onLeave()))

    const fit = () => {
      if (element.offsetParent === null) return
      addon.fit()
      line.resize(terminal.rows, terminal.cols)
    }
    let frame = 0
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(fit)
    })
    observer.observe(element)
    // Cells are measured by the font, which may come after the terminal.
    void document.fonts.load(`13px ${terminal.options.fontFamily}`).then(() => {
      if (made.current?.terminal !== terminal) return
      terminal.options.fontFamily = `${terminal.options.fontFamily} `
      fit()
    }, () => undefined)
    made.current = { terminal, fit }
    return () => {
      made.current = null
      clearTimeout(historyMax)
      clearTimeout(historyEnds)
      clearTimeout(quiet)
      cancelAnimationFrame(frame)
      observer.disconnect()
      line.close()
      terminal.dispose()
    }
  }, [url, old])

  useEffect(() => {
    if (made.current) made.current.terminal.options.screenReaderMode = screenReader
  }, [screenReader])
  useEffect(() => {
    if (made.current && host.current) made.current.terminal.options.theme = themeOf(host.current)
  }, [theme])
  useEffect(() => {
    if (!shown) return
    made.current?.fit()
    made.current?.terminal.focus()
  }, [shown])

  return (
    <div className="screen" hidden={!shown}>
      <div className="screen-host" ref={host} />
      {(state.is === 'again' || state.is === 'connecting') && (
        <div className="screen-state" role="status">
          <Spinner /> {state.is === 'again' ? t('Reconnecting…') : t('Connecting…')}
        </div>
      )}
      {state.is === 'exited' && (
        <div className="screen-over" role="status">
          <span>{state.code === null ? t('The shell has ended.') : t('The shell has ended (exit code {code}).', { code: state.code })}</span>
          <Button small weight="soft" onClick={onRestart}>
            {t('Start again')}
          </Button>
        </div>
      )}
      {state.is === 'refused' && (
        <div className="screen-over" role="status">
          <span>{state.why}</span>
        </div>
      )}
    </div>
  )
}

/** False: the terminal shall not see this key. */
function keys(event: KeyboardEvent, terminal: Terminal, leave: () => void): boolean {
  if (event.type !== 'keydown') return true
  const modified = event.ctrlKey || event.metaKey
  if (modified && event.shiftKey && event.key === 'ArrowUp') {
    event.preventDefault()
    leave()
    return false
  }
  const copies = event.code === 'KeyC' && modified && !event.altKey
  if (copies && terminal.hasSelection()) {
    event.preventDefault()
    void navigator.clipboard.writeText(terminal.getSelection()).catch(() => notify({ title: t('The browser did not let us copy'), kind: 'bad' }))
    terminal.clearSelection()
    return false
  }
  // With Shift these are copy and paste, never an interrupt; the browser pastes by itself.
  if (copies && event.shiftKey) {
    event.preventDefault()
    return false
  }
  return !(event.code === 'KeyV' && modified && (event.shiftKey || event.metaKey))
}

/** Questions to the terminal, whose answers would be typed into the shell, find no ear while this holds. */
function silence(terminal: Terminal, holds: () => boolean): void {
  const { parser } = terminal
  for (const id of [{ final: 'c' }, { prefix: '>', final: 'c' }, { prefix: '=', final: 'c' }, { final: 'n' }, { prefix: '?', final: 'n' }, { intermediates: '$', final: 'p' }, { prefix: '?', intermediates: '$', final: 'p' }, { final: 't' }, { prefix: '>', final: 'q' }]) parser.registerCsiHandler(id, holds)
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, holds)
  for (const id of [4, 10, 11, 12]) parser.registerOscHandler(id, (data) => holds() && data.includes('?'))
}

/** A link's text may say anything, so its true address is shown before it is opened. */
function offer(link: string): void {
  let url: URL
  try {
    url = new URL(link)
  } catch {
    return
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return
  notify({ title: t('Open this link?'), detail: url.href, action: { label: t('Open'), run: () => window.open(url, '_blank', 'noopener,noreferrer') } })
}

function name(terminal: Terminal, label: string): void {
  terminal.textarea?.setAttribute('aria-label', label)
  terminal.textarea?.setAttribute('aria-description', t('Press Control+Shift+Arrow up to leave the terminal.'))
}

const COLOURS = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const

/** The theme's own colours, worked out where the terminal stands. */
function themeOf(element: HTMLElement): ITheme {
  const probe = document.createElement('span')
  probe.hidden = true
  element.append(probe)
  const color = (value: string) => {
    probe.style.color = value
    return getComputedStyle(probe).color
  }
  const named = (name: string) => {
    probe.style.color = ''
    probe.className = `ansi-fg-${name}`
    const found = getComputedStyle(probe).color
    probe.className = ''
    return found
  }
  try {
    return {
      background: color('var(--surface)'),
      foreground: color('var(--ink)'),
      cursor: color('var(--accent)'),
      cursorAccent: color('var(--surface)'),
      selectionBackground: color('light-dark(#c8d3f7, #3b4878)'),
      overviewRulerBorder: color('var(--surface)'),
      scrollbarSliderBackground: color('light-dark(#1d1f2333, #e6e7ea33)'),
      scrollbarSliderHoverBackground: color('light-dark(#1d1f2355, #e6e7ea55)'),
      scrollbarSliderActiveBackground: color('light-dark(#1d1f2377, #e6e7ea77)'),
      black: color('light-dark(#1d1f23, #2a2c30)'),
      white: color('light-dark(#d0d4db, #d9dce2)'),
      brightBlack: named('bright-black'),
      brightWhite: color('light-dark(#f1f2f5, #ffffff)'),
      ...Object.fromEntries(COLOURS.flatMap((one) => [[one, named(one)], [`bright${one[0]!.toUpperCase()}${one.slice(1)}`, named(`bright-${one}`)]])),
    }
  } finally {
    probe.remove()
  }
}
