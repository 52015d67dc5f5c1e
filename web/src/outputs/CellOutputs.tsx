/** Everything one cell put out, and the line in which it asks for input. */
import './outputs.css'
import { Download, Globe, Play } from 'lucide-react'
import { Fragment, memo, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { t, tn } from '../i18n'
import type { CellId, Execution, NotebookId, Output } from '../model/wire'
import { bounded, HEAD_SHOWN, MORE_SHOWN, omittedBy } from './bounded'
import { Bundle } from './Bundle'
import { clean, useCleaner } from './cleaning'
import { begins, keepsClosed } from './closed'
import { FrameOutput } from './FrameOutput'
import { InputForm } from './InputForm'
import { framed, needsFrame } from './place'
import { OpenTable } from './OpenTable'
import { remember } from './preludes'
import { Stream } from './Stream'
import { Traceback } from './Traceback'
import type { CodePlace } from './traceback'
import { logAddress } from './values'
import { PLAIN_VIEW, type TextView, TextViewContext } from './view'
import { AroundContext } from './widgets/around'
import { useAlive } from './widgets/link'

export interface CellOutputsProps {
  readonly notebook: NotebookId
  readonly cell: CellId
  readonly execution: Execution | null
  readonly outputs: readonly Output[]
  /** Made by a run here. Scripts in outputs that only came with the file have no network. */
  readonly live: boolean
  readonly onInput: (value: string) => void
  /** What can be done with the outputs, at their corner. */
  readonly tools?: ReactNode
  readonly view?: TextView
  /** How tall the file says that the outputs are. */
  readonly expected?: number | undefined
  /** Present: a traceback's frames lead there. */
  readonly onPlace?: ((place: CodePlace) => void) | undefined
  /** Present: a package that an import missed can be asked for. */
  readonly onInstall?: ((name: string) => void) | undefined
  /** Stands here while what draws the outputs is on its way. */
  readonly waiting?: ReactNode
}

/** What each output needs is found once: outputs never change, they are replaced. */
const needs = new WeakMap<Output, boolean>()

function needsOne(output: Output): boolean {
  let known = needs.get(output)
  if (known === undefined) {
    known = needsFrame(output, clean)
    needs.set(output, known)
  }
  return known
}

export function CellOutputs({ waiting = null, ...props }: CellOutputsProps) {
  return useCleaner(props.outputs) ? <AllOutputs {...props} /> : waiting
}

function AllOutputs({ notebook, cell, execution, outputs: all, live, onInput, tools, view = PLAIN_VIEW, expected, onPlace, onInstall }: Omit<CellOutputsProps, 'waiting'>) {
  const [unfit, setUnfit] = useState<ReadonlySet<Output>>(new Set())
  const [head, setHead] = useState(HEAD_SHOWN)
  const run = execution?.execution ?? null
  const input = execution?.input ?? null
  useEffect(() => remember(notebook, all, live ? 'open' : 'closed'), [live, notebook, all])
  useEffect(() => setHead(HEAD_SHOWN), [run])
  const onUnfit = useCallback((output: Output) => setUnfit((now) => new Set(now).add(output)), [])
  const { outputs, hidden, at } = useMemo(() => bounded(all, head), [all, head])
  const range = useMemo(() => framed(outputs, (output) => unfit.has(output) || needsOne(output)), [outputs, unfit])
  const [first, end] = range ?? [outputs.length, outputs.length]
  const inFrame = useFramed(outputs, first, end)

  if (all.length === 0 && input === null) return null
  const gap = <Gap hidden={hidden} notebook={notebook} execution={run} onMore={() => setHead(head + MORE_SHOWN)} />
  const shown = (from: number, to: number) =>
    outputs.slice(from, to).map((output, index) => {
      const place = from + index
      return (
        <Fragment key={place < at ? place : place + hidden}>
          {hidden > 0 && place === at && gap}
          <One output={output} notebook={notebook} execution={run} running={execution?.state === 'running'} onUnfit={onUnfit} onPlace={onPlace} onInstall={onInstall} />
        </Fragment>
      )
    })
  return (
    <TextViewContext value={view}>
      <section className="outputs" aria-label={t('Output')}>
        <div className={view.scrolled === true ? 'outputs-body outputs-scrolled' : 'outputs-body'} {...(view.scrolled === true && { tabIndex: 0 })} {...(!view.wrap && { 'data-wrap': 'off' })}>
          {shown(0, first)}
          {range !== null && hidden > 0 && first <= at && at < end && gap}
          {range !== null && <Framed key={run} notebook={notebook} cell={cell} outputs={inFrame} execution={execution} live={live} expected={expected} />}
          {shown(end, outputs.length)}
          {input !== null && <InputForm key={`${run} ${input.prompt}`} input={input} onInput={onInput} />}
        </div>
        {all.length > 0 && tools}
      </section>
    </TextViewContext>
  )
}

/** The framed stretch as the same array for as long as its outputs are the same. */
function useFramed(outputs: readonly Output[], first: number, end: number): readonly Output[] {
  const [kept, setKept] = useState<readonly Output[]>([])
  const now = outputs.slice(first, end)
  const same = now.length === kept.length && now.every((output, index) => output === kept[index])
  if (same) return kept
  setKept(now)
  return now
}

interface FramedProps {
  readonly notebook: NotebookId
  readonly cell: CellId
  readonly outputs: readonly Output[]
  readonly execution: Execution | null
  readonly live: boolean
  readonly expected: number | undefined
}

/** In the frame: at once what was made here; what came with the file without a network, and with one when it is asked for. */
function Framed({ notebook, cell, outputs, execution, live, expected }: FramedProps) {
  const [asked, setAsked] = useState<'closed' | 'open' | null>(null)
  const [refused, setRefused] = useState<ReadonlySet<string>>(new Set())
  const [free] = useState(() => live || (keepsClosed() && begins(notebook)))
  const onRefused = useCallback((host: string) => setRefused((now) => (now.has(host) || now.size >= HOSTS_MAX ? now : new Set(now).add(host))), [])
  const around = useContext(AroundContext)
  const alive = useAlive(around, outputs, !live)
  // What I ran is mine after the page was loaded again, too, if the kernel still has what it made.
  const mine = around !== null && execution?.user?.id === around.me && execution.saved !== true
  if (alive === null && mine) return null
  const network = live || (alive === true && mine) ? 'open' : (asked ?? (free ? 'closed' : null))
  if (network === null) {
    return (
      <div className="output-withheld">
        <button type="button" className="output-button" onClick={() => setAsked('closed')}>
          <Play size={14} aria-hidden />
          {t('Show output')}
        </button>
        <span>{t('It came with the file and runs a script, closed off from this page.')}</span>
      </div>
    )
  }
  return (
    <>
      <FrameOutput key={network} notebook={notebook} cell={cell} outputs={outputs} network={network} execution={execution?.execution ?? null} expected={expected} onRefused={onRefused} />
      {network === 'closed' && alive === true && around?.mayRun() === true && (
        <div className="output-withheld">
          <button type="button" className="output-button" onClick={() => setAsked('open')}>
            <Play size={14} aria-hidden />
            {t('Use it')}
          </button>
          <span>{t('Somebody else ran this. It then may talk to the kernel, and use the internet.')}</span>
        </div>
      )}
      {network === 'closed' && refused.size > 0 && (
        <div className="output-withheld">
          <button type="button" className="output-button" onClick={() => setAsked('open')}>
            <Globe size={14} aria-hidden />
            {t('Let it use the internet')}
          </button>
          <span>{t('This saved output wanted something of {hosts}. Nothing was asked.', { hosts: [...refused].join(', ') })}</span>
        </div>
      )}
    </>
  )
}

const HOSTS_MAX = 5

function Gap({ hidden, notebook, execution, onMore }: { hidden: number; notebook: NotebookId; execution: string | null; onMore: () => void }) {
  return (
    <div className="stream-gap omitted">
      <span>{tn('{count} more output', '{count} more outputs', hidden)}</span>
      <button type="button" className="output-link" onClick={onMore}>
        {t('Show {count}', { count: Math.min(hidden, MORE_SHOWN) })}
      </button>
      {execution !== null && <Log notebook={notebook} execution={execution} />}
    </div>
  )
}

function Log({ notebook, execution }: { notebook: NotebookId; execution: string }) {
  return (
    <a href={logAddress(notebook, execution)} download>
      <Download size={14} aria-hidden /> {t('Download the full log')}
    </a>
  )
}

interface OneProps {
  readonly output: Output
  readonly notebook: NotebookId
  readonly execution: string | null
  readonly running: boolean
  readonly onUnfit: (output: Output) => void
  readonly onPlace: ((place: CodePlace) => void) | undefined
  readonly onInstall: ((name: string) => void) | undefined
}

const One = memo(function One({ output, notebook, execution, running, onUnfit, onPlace, onInstall }: OneProps) {
  const unfit = useCallback(() => onUnfit(output), [onUnfit, output])
  switch (output.output_type) {
    case 'stream':
      return <Stream output={output} notebook={notebook} execution={execution} running={running} />
    case 'error':
      return <Traceback output={output} onPlace={onPlace} onInstall={onInstall} />
    case 'display_data':
    case 'execute_result': {
      const omitted = omittedBy(output)
      if (omitted > 0) {
        return (
          <div className="stream-gap omitted">
            <span>{tn('{count} more output was not kept', '{count} more outputs were not kept', omitted)}</span>
            {execution !== null && <Log notebook={notebook} execution={execution} />}
          </div>
        )
      }
      return (
        <div className="output-rich">
          <Bundle output={output} notebook={notebook} onUnfit={unfit} />
          <OpenTable data={output.data} />
        </div>
      )
    }
    default:
      return null
  }
})
