/** A code cell: run button, source, and what the last run left. */
import { ChevronRight, CircleAlert } from 'lucide-react'
import { type Ref, useState } from 'react'
import { useStore } from 'zustand'
import { t, tn } from '../../i18n'
import { reasonText } from '../../i18n/reasons'
import type { Facts } from '../../model/facts'
import { type CellMap, textOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { shownCode } from '../forms/shownCode'
import { useFormMode } from '../forms/useFormMode'
import { Contained } from './Contained'
import { toggleHidden } from './arranging'
import { awaitedOf } from './awaited'
import { useDesk, useHidden, useLanguage, useMay, useRun, useSession, useText } from './hooks'
import { Button, classes, later } from '../kit'
import { grammarOf, languageLabel } from './languages'
import { OutputArea } from './OutputArea'
import { RunButton } from './RunButton'
import { runKeys } from './runKeys'
import { Source, type SourceHandle } from './Source'

const CellForm = later(() => import('../forms/CellForm'), <div className="form" />)

interface CodeCellProps {
  readonly id: CellId
  readonly cell: CellMap
  readonly facts: Facts
  readonly source: Ref<SourceHandle>
  readonly leave: () => void
}

export function CodeCell({ id, cell, facts, source, leave }: CodeCellProps) {
  const language = useLanguage()
  const form = useFormMode(cell)
  const opened = useStore(shownCode, (cells) => cells.has(id))
  const shown = form !== null && form !== 'code'
  const closed = useHidden(id, 'source', facts.sourceHidden)
  const code = !closed && (form !== 'form' || opened)
  const desk = useDesk()
  // For who sees a notebook for the first time. Later cells need no such words, and this one does not change while it is written in.
  const [hint] = useState(() => (desk.outline.current().length === 1 ? t('Write code here and press {keys} to run it', { keys: runKeys() ?? '▶' }) : undefined))
  return (
    <div className="cell-row">
      <div className="cell-gutter">
        <RunButton id={id} cell={cell} />
        {language !== 'python' && <span className="cell-language">{languageLabel(language)}</span>}
      </div>
      <div className={classes('cell-body', shown && code && 'cell-with-form')}>
        {code && <Source id={id} cell={cell} language={grammarOf(language)} code leave={leave} {...(hint !== undefined && { placeholder: hint })} ref={source} />}
        {shown && (
          <Contained of={cell} what={t('The form')}>
            <CellForm id={id} cell={cell} mode={form} />
          </Contained>
        )}
        {closed && <HiddenSource id={id} cell={cell} />}
        <Outputs id={id} hidden={facts.outputsHidden} />
      </div>
    </div>
  )
}

/** The first line of what is hidden, and the way to the rest. */
function HiddenSource({ id, cell }: { id: CellId; cell: CellMap }) {
  const desk = useDesk()
  const text = useText(textOf(cell))
  const lines = text.split('\n')
  return (
    <button type="button" className="cell-folded" title={t('Show code')} onClick={() => toggleHidden(desk, 'source', [id])}>
      <ChevronRight size={16} aria-hidden />
      <code>{lines.find((line) => line.trim() !== '') ?? ''}</code>
      <span>{tn('{count} line of code hidden', '{count} lines of code hidden', lines.length)}</span>
    </button>
  )
}

function Outputs({ id, hidden }: { id: CellId; hidden: boolean }) {
  const desk = useDesk()
  const closed = useHidden(id, 'outputs', hidden)
  const run = useRun(id)
  if (!run) return <Awaited id={id} />
  const { execution, outputs, madeBy } = run
  // What asks for an answer is never hidden.
  if (closed && outputs.length > 0 && !execution.input) {
    return (
      <button type="button" className="cell-folded" title={t('Show output')} onClick={() => toggleHidden(desk, 'outputs', [id])}>
        <ChevronRight size={16} aria-hidden />
        <span>{tn('{count} output hidden', '{count} outputs hidden', outputs.length)}</span>
      </button>
    )
  }
  const reason = reasonText(execution)
  // The server's error output says it in English; in another language it is said once more.
  const told = outputs.some((output) => output.output_type === 'error' && output.evalue === reason)
  const ended = (execution.state === 'failed' || execution.state === 'cancelled') && !told
  const past = madeBy !== execution.execution && execution.state === 'running'
  return (
    <div className={past ? 'output output-past' : 'output'}>
      <Contained of={outputs} what={t('This output')}>
        <OutputArea id={id} run={run} waiting={<Awaited id={id} />} />
      </Contained>
      {ended && reason && (
        <p className="output-reason">
          <CircleAlert size={16} aria-hidden /> {reason}
        </p>
      )}
      {execution.state === 'failed' && <NextSteps reason={execution.reason ?? ''} />}
    </div>
  )
}

/** The room that the outputs took when this page last showed them, until the server tells of them. */
function Awaited({ id }: { id: CellId }) {
  const height = useStore(awaitedOf(useDesk()), (heights) => heights.get(id))
  return height === undefined ? null : <div className="output" style={{ height }} />
}

/** What a person can do when the kernel did not live through their cell. */
function NextSteps({ reason }: { reason: string }) {
  const desk = useDesk()
  const may = useMay('run')
  const dead = useSession((session) => session.kernel?.state === 'dead')
  const memory = /^killed: .*memory/.test(reason)
  if (!memory && !reason.startsWith('terminated:')) return null
  return (
    <div className="next-steps">
      <p>
        {memory ? t('The kernel needed more memory than its runtime has, and was ended.') : t('The cell went on when it was interrupted, so its kernel was ended.')}{' '}
        {!dead && t('A new one takes the next cell: variables are gone, files are still there.')}
      </p>
      {may && (memory || dead) && (
        <div className="next-steps-actions">
          {memory && <Button small onClick={() => desk.open('runtime-type')}>{t('Change runtime type')}</Button>}
          {memory && <Button small weight="ghost" onClick={() => desk.showResources(true)}>{t('View resources')}</Button>}
          {dead && <Button small weight="ghost" onClick={() => desk.session.command('restart')}>{t('Restart session')}</Button>}
        </div>
      )}
    </div>
  )
}
