/** Everything one cell put out, and the line in which it asks for input. */
import './outputs.css'
import { Check, Copy, ListX, Play } from 'lucide-react'
import { memo, useCallback, useEffect, useMemo, useState } from 'react'
import type { CellId, ErrorOutput, Execution, NotebookId, Output } from '../model/wire'
import { Bundle } from './Bundle'
import { copied } from './copied'
import { FrameOutput } from './FrameOutput'
import { InputForm } from './InputForm'
import { framed, needsFrame } from './place'
import { remember } from './preludes'
import { type Clean, clean } from './sanitize'
import { LongText, Stream } from './Stream'

export interface CellOutputsProps {
  readonly notebook: NotebookId
  readonly cell: CellId
  readonly execution: Execution | null
  readonly outputs: readonly Output[]
  /** Made by a run here. Scripts in outputs that only came with the file wait for a click. */
  readonly live: boolean
  readonly onInput: (value: string) => void
  /** Present: the person may have the outputs forgotten. */
  readonly onClear?: (() => void) | undefined
}

/** What each output needs is found once: outputs never change, they are replaced. */
const needs = new WeakMap<Output, boolean>()
const cleaner = (html: string): Clean => clean(html)

function needsOne(output: Output): boolean {
  let known = needs.get(output)
  if (known === undefined) {
    known = needsFrame(output, cleaner)
    needs.set(output, known)
  }
  return known
}

export function CellOutputs({ notebook, cell, execution, outputs, live, onInput, onClear }: CellOutputsProps) {
  const [unfit, setUnfit] = useState<ReadonlySet<Output>>(new Set())
  const [allowed, setAllowed] = useState(false)
  const run = execution?.execution ?? null
  const input = execution?.input ?? null
  useEffect(() => {
    if (live) remember(notebook, outputs)
  }, [live, notebook, outputs])
  useEffect(() => setAllowed(false), [run])
  const onUnfit = useCallback((output: Output) => setUnfit((now) => new Set(now).add(output)), [])
  const range = useMemo(() => framed(outputs, (output) => unfit.has(output) || needsOne(output)), [outputs, unfit])
  const [first, end] = range ?? [outputs.length, outputs.length]
  const inFrame = useFramed(outputs, first, end)

  if (outputs.length === 0 && input === null) return null
  const shown = (from: number, to: number) =>
    outputs.slice(from, to).map((output, index) => <One key={from + index} output={output} notebook={notebook} execution={run} running={execution?.state === 'running'} onUnfit={onUnfit} />)
  return (
    <section className="outputs" aria-label="Output">
      {shown(0, first)}
      {range !== null && (live || allowed) && <FrameOutput key={run} notebook={notebook} cell={cell} outputs={inFrame} />}
      {range !== null && !live && !allowed && <Withheld onAllow={() => setAllowed(true)} />}
      {shown(end, outputs.length)}
      {input !== null && <InputForm key={`${run} ${input.prompt}`} input={input} onInput={onInput} />}
      {outputs.length > 0 && <Tools outputs={outputs} onClear={onClear} />}
    </section>
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

interface OneProps {
  readonly output: Output
  readonly notebook: NotebookId
  readonly execution: string | null
  readonly running: boolean
  readonly onUnfit: (output: Output) => void
}

const One = memo(function One({ output, notebook, execution, running, onUnfit }: OneProps) {
  const unfit = useCallback(() => onUnfit(output), [onUnfit, output])
  switch (output.output_type) {
    case 'stream':
      return <Stream output={output} notebook={notebook} execution={execution} running={running} />
    case 'error':
      return <Failure output={output} />
    case 'display_data':
    case 'execute_result':
      return (
        <div className="output-rich">
          <Bundle output={output} notebook={notebook} onUnfit={unfit} />
        </div>
      )
    default:
      return null
  }
})

function Failure({ output }: { output: ErrorOutput }) {
  const text = output.traceback.length > 0 ? output.traceback.join('\n') : `${output.ename}: ${output.evalue}`
  return <LongText text={text} className="output-error" label={`${output.ename}: traceback`} follow />
}

function Withheld({ onAllow }: { onAllow: () => void }) {
  return (
    <div className="output-withheld">
      <button type="button" className="output-button" onClick={onAllow}>
        <Play size={14} aria-hidden />
        Show output
      </button>
      <span>It came with the file and runs a script, closed off from this page.</span>
    </div>
  )
}

function Tools({ outputs, onClear }: { outputs: readonly Output[]; onClear: (() => void) | undefined }) {
  const [done, setDone] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(copied(outputs)).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), 1500)
    })
  }
  return (
    <div className="output-tools">
      <button type="button" aria-label={done ? 'Copied' : 'Copy output'} title="Copy output" onClick={copy}>
        {done ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
      </button>
      {onClear !== undefined && (
        <button type="button" aria-label="Clear output" title="Clear output" onClick={onClear}>
          <ListX size={15} aria-hidden />
        </button>
      )}
    </div>
  )
}
