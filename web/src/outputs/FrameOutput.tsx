/** The outputs of a cell that run script, in the cell's one frame: made when it comes near, tall as its content. */
import { ArrowRight, type LucideIcon, Play, Square } from 'lucide-react'
import { useContext, useEffect, useRef, useState } from 'react'
import { t } from '../i18n'
import type { CellId, ExecutionId, MimeBundle, NotebookId, Output } from '../model/wire'
import { type Methods, OutputFrame } from './frame/host'
import type { Network } from './frame/wire'
import { heightOf, rememberHeight } from './heights'
import { keysAsked, OUTPUT_KEY } from './keys'
import { preludesFor } from './preludes'
import { type Silence, showBlamed, Watch } from './silence'
import { rememberStopped, wasStopped } from './stopped'
import { guard } from './theft'
import { useShownTheme } from './theme'
import { textOf, wholeValue } from './values'
import { AroundContext } from './widgets/around'
import { linkWidgets } from './widgets/link'

const NO_METHODS: Methods = {}
const NEAR = '800px'
const HEIGHT_FIRST = 120

/** Frames cost memory; the one longest out of sight makes room. */
export const FRAMES_MAX = 24
const alive = new Map<object, { near: boolean; leave: () => void }>()

/** Why a frame is not shown until somebody asks for it: it took the keyboard, or it did not answer. */
type Withheld = 'thief' | 'silent'

function enter(key: object, leave: () => void): void {
  alive.delete(key)
  alive.set(key, { near: true, leave })
  for (const [other, { near, leave: go }] of alive) {
    if (alive.size <= FRAMES_MAX) break
    if (!near) {
      alive.delete(other)
      go()
    }
  }
}

export interface FrameOutputProps {
  readonly notebook: NotebookId
  readonly cell: CellId
  readonly outputs: readonly Output[]
  /** Closed: it is shown without a network. */
  readonly network: Network
  /** The run that made the outputs, if one did. */
  readonly execution?: ExecutionId | null
  /** What the frame may ask besides what concerns widgets; a closed one gets nothing. */
  readonly methods?: Methods
  /** How tall the file says it is. */
  readonly expected?: number | undefined
  /** The closed frame wanted something of this host. */
  readonly onRefused?: (host: string) => void
}

export function FrameOutput({ notebook, cell, outputs, network, execution = null, methods = NO_METHODS, expected = HEIGHT_FIRST, onRefused }: FrameOutputProps) {
  const box = useRef<HTMLDivElement>(null)
  const [near, setNear] = useState(false)
  const [height, setHeight] = useState(() => heightOf(notebook, cell) ?? expected)
  const [problem, setProblem] = useState<string>()
  const [withheld, setWithheld] = useState<Withheld | null>(() => (wasStopped(notebook, cell, execution) ? 'silent' : null))
  const [silence, setSilence] = useState<Silence | null>(null)
  /** Counts how often it was made anew because no output answered. */
  const [life, setLife] = useState(0)
  const theme = useShownTheme()
  const around = useContext(AroundContext)
  const frame = useRef<OutputFrame>(null)
  const latest = useRef({ outputs, theme, onRefused })
  latest.current = { outputs, theme, onRefused }

  const [key] = useState(() => ({}))
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const seen = new IntersectionObserver(
      (entries) => {
        // Several looks may be told of at once; only the last is of now.
        const here = entries.at(-1)?.isIntersecting ?? false
        if (here) {
          enter(key, () => setNear(false))
          setNear(true)
        } else {
          const mine = alive.get(key)
          if (mine) mine.near = false
        }
      },
      { rootMargin: NEAR },
    )
    seen.observe(element)
    return () => {
      seen.disconnect()
      alive.delete(key)
    }
  }, [key])

  const sending = useRef<Sending>(null)
  useEffect(() => {
    const element = box.current
    if (!near || withheld !== null || element === null) return
    const widgets = around && linkWidgets(around, network, execution, (items) => frame.current?.post({ kind: 'widgets', items }))
    const made = new OutputFrame(t('Cell output'), latest.current.theme, { ...(network === 'open' && methods), ...widgets?.methods }, network)
    const sender = new Sending(made, notebook, network, setProblem)
    const tellKeys = () => made.post({ kind: 'keys', keys: keysAsked.getState() })
    const forgetKeys = keysAsked.subscribe(tellKeys)
    made.onReady = () => {
      tellKeys()
      sender.restart(latest.current.outputs)
    }
    made.onKey = (wish) => element.dispatchEvent(new CustomEvent(OUTPUT_KEY, { bubbles: true, detail: wish }))
    made.onHeight = (pixels, drawing) => {
      // What was known of it stands until it is drawn: the page would fall together and come apart again.
      if (drawing) return setHeight((known) => Math.max(known, pixels))
      rememberHeight(notebook, cell, pixels)
      setHeight(pixels)
    }
    made.onRefused = (host) => latest.current.onRefused?.(host)
    frame.current = made
    sending.current = sender
    element.append(made.element)
    const unguard = guard(made.element, () => setWithheld('thief'))
    const watch = new Watch({
      element: made.element,
      near: () => alive.get(key)?.near === true,
      ask: () => made.ping(),
      tell: (now) => {
        setSilence(now)
        // Who loads the page again because it seems stuck must not come back to the same.
        rememberStopped(notebook, cell, execution, now === 'itself')
      },
      again: () => {
        if (alive.get(key)?.near === true) return setLife((lives) => lives + 1)
        alive.delete(key)
        setNear(false)
      },
    })
    made.onHeard = () => watch.heard()
    made.onWorks = (works) => watch.working(works)
    return () => {
      watch.end()
      setSilence(null)
      unguard()
      sender.stop()
      forgetKeys()
      widgets?.close()
      made.close()
      frame.current = null
      sending.current = null
    }
  }, [near, withheld, life, key, cell, notebook, methods, network, around, execution])
  useEffect(() => sending.current?.update(outputs), [outputs])
  useEffect(() => frame.current?.post({ kind: 'theme', theme }), [theme])
  useEffect(() => {
    if (frame.current) frame.current.element.style.height = `${height}px`
  }, [height, near, withheld, life])

  /** The button that was pressed goes; the keyboard stays with the cell. */
  const pressed = (then: Withheld | null) => () => {
    box.current?.closest<HTMLElement>('[data-cell-id]')?.focus({ preventScroll: true })
    rememberStopped(notebook, cell, execution, then === 'silent')
    setWithheld(then)
  }

  return (
    <>
      {silence === 'itself' && (
        <Notice alert icon={Square} action={t('Stop it')} onAction={pressed('silent')}>
          {t('This output does not answer.')}
        </Notice>
      )}
      {silence === 'another' && (
        <Notice icon={ArrowRight} action={t('Go there')} onAction={showBlamed}>
          {t('This output waits for another one, which does not answer.')}
        </Notice>
      )}
      <div ref={box} className="output-frame-box" style={{ minHeight: withheld ? 0 : height }} />
      {withheld !== null && (
        <Notice alert={withheld === 'thief'} icon={Play} action={t('Show it again')} onAction={pressed(null)}>
          {withheld === 'thief' ? t('This output took the keyboard again and again.') : t('This output was stopped because it did not answer.')}
        </Notice>
      )}
      {problem !== undefined && <p className="output-problem">{problem}</p>}
    </>
  )
}

interface NoticeProps {
  /** It has just happened, and nobody asked for it. */
  readonly alert?: boolean
  readonly icon: LucideIcon
  readonly action: string
  readonly onAction: () => void
  readonly children: string
}

function Notice({ alert = false, icon: Icon, action, onAction, children }: NoticeProps) {
  return (
    <div className="output-withheld" {...(alert && { role: 'alert' })}>
      <button type="button" className="output-button" onClick={onAction}>
        <Icon size={14} aria-hidden />
        {action}
      </button>
      <span>{children}</span>
    </div>
  )
}

/** Keeps a frame's outputs equal to the page's: sends only from the first that changed, in order. */
class Sending {
  private sent: readonly Output[] = []
  private turn: Promise<void> = Promise.resolve()
  private open = false
  private stopped = false

  constructor(
    private readonly frame: OutputFrame,
    private readonly notebook: NotebookId,
    private readonly network: Network,
    private readonly onProblem: (message: string) => void,
  ) {}

  restart(outputs: readonly Output[]): void {
    this.sent = []
    this.open = true
    this.update(outputs)
  }

  stop(): void {
    this.stopped = true
  }

  update(outputs: readonly Output[]): void {
    if (!this.open) return
    const from = firstDifference(this.sent, outputs)
    if (from === outputs.length && this.sent.length === outputs.length) return
    this.sent = outputs
    this.turn = this.turn.then(() => this.send(from, outputs))
  }

  private async send(from: number, outputs: readonly Output[]): Promise<void> {
    try {
      const preludes = await Promise.all(preludesFor(this.notebook, outputs, this.network).map((script) => wholeValue(this.notebook, script, 'text/javascript')))
      const whole = await Promise.all(outputs.slice(from).map((output) => withValues(this.notebook, output)))
      if (!this.stopped) this.frame.post({ kind: 'render', from, outputs: whole, preludes: preludes.map(textOf) })
    } catch (error) {
      if (!this.stopped) this.onProblem(error instanceof Error ? error.message : String(error))
    }
  }
}

export function firstDifference<Thing>(one: readonly Thing[], other: readonly Thing[]): number {
  let at = 0
  while (at < one.length && at < other.length && one[at] === other[at]) at += 1
  return at
}

async function withValues(notebook: NotebookId, output: Output): Promise<Output> {
  if (output.output_type !== 'display_data' && output.output_type !== 'execute_result') return output
  const pairs = await Promise.all(Object.entries(output.data).map(async ([mime, value]) => [mime, await wholeValue(notebook, value, mime)] as const))
  const data: MimeBundle = Object.fromEntries(pairs)
  return { ...output, data }
}
