/** Two notebooks beside each other, cell by cell; what stayed the same is folded away. */
import './history.css'
import '../notebook/cell.css'
import { useMemo, useState } from 'react'
import { msg, t, tn } from '../../i18n'
import type { CellDifference, Difference, PastCell } from '../../api/history'
import type { Grammar } from '../../editor/editor'
import type { Output } from '../../model/wire'
import { Button, EmptyState } from '../kit'
import { Shown } from './PastCells'
import { type Layout, SourceDiff } from './SourceDiff'
import { StillSource } from './StillSource'

interface DifferenceViewProps {
  /** Whose large outputs may be fetched; empty for files. */
  readonly notebook: string
  readonly difference: Difference
  readonly grammar: Grammar
  /** Present: a cell can be made what it was. */
  readonly onRestore?: (cell: string) => void
}

const NARROW = 900

export default function DifferenceView({ notebook, difference, grammar, onRestore }: DifferenceViewProps) {
  const [layout, setLayout] = useState<Layout>(() => (innerWidth < NARROW ? 'inline' : 'beside'))
  const stretches = useMemo(() => folded(difference.cells), [difference])
  const changes = difference.cells.filter(({ status }) => status !== 'same')
  return (
    <div className="difference">
      <div className="difference-bar">
        <p role="status">{summary(changes, difference.metadata !== null)}</p>
        <div role="group" aria-label={t('Layout')} className="difference-layout">
          {(['beside', 'inline'] as const).map((one) => (
            <button key={one} type="button" aria-pressed={layout === one} onClick={() => setLayout(one)}>
              {one === 'beside' ? t('Side by side') : t('Inline')}
            </button>
          ))}
        </div>
      </div>
      {changes.length === 0 && difference.metadata === null && <EmptyState icon={null} title={t('No differences')}>{t('Both say the same.')}</EmptyState>}
      {difference.metadata !== null && (
        <section className="difference-cell" aria-label={t('Notebook metadata')}>
          <p className="difference-head">
            <strong>{t('Notebook metadata')}</strong>
          </p>
          <SourceDiff before={pretty(difference.metadata.before)} after={pretty(difference.metadata.after)} grammar="plain" layout={layout} />
        </section>
      )}
      <div role="list" aria-label={t('Differences')}>
        {stretches.map((stretch, at) =>
          stretch.same ? (
            <Same key={at} cells={stretch.cells} grammar={grammar} />
          ) : (
            stretch.cells.map((cell) => <Changed key={`${cell.before?.id} ${cell.after?.id}`} {...{ notebook, cell, grammar, layout }} {...(onRestore && { onRestore })} />)
          ),
        )}
      </div>
    </div>
  )
}

interface Stretch {
  readonly same: boolean
  readonly cells: CellDifference[]
}

function folded(cells: readonly CellDifference[]): readonly Stretch[] {
  const stretches: Stretch[] = []
  for (const cell of cells) {
    const same = cell.status === 'same'
    const last = stretches.at(-1)
    if (last?.same === same) last.cells.push(cell)
    else stretches.push({ same, cells: [cell] })
  }
  return stretches
}

function Same({ cells, grammar }: { cells: readonly CellDifference[]; grammar: Grammar }) {
  const [open, setOpen] = useState(false)
  const count = cells.length === 1 ? t('1 cell is the same') : t('{length} cells are the same', { length: cells.length })
  return (
    <div role="listitem" className="difference-same">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {count}
      </button>
      {open && cells.map(({ after }) => after && <StillSource key={after.id} source={after.source} grammar={after.type === 'code' ? grammar : 'plain'} />)}
    </div>
  )
}

const WORDS = { added: msg('Added'), deleted: msg('Deleted'), changed: msg('Changed'), same: msg('The same') } as const
const PARTS = { source: msg('source'), type: msg('type'), metadata: msg('metadata'), attachments: msg('attachments'), outputs: msg('output') } as const

interface ChangedProps {
  readonly notebook: string
  readonly cell: CellDifference
  readonly grammar: Grammar
  readonly layout: Layout
  readonly onRestore?: (cell: string) => void
}

function Changed({ notebook, cell, grammar, layout, onRestore }: ChangedProps) {
  const { before, after } = cell
  const one = (after ?? before)!
  const its = one.type === 'code' ? grammar : 'plain'
  const words = [
    cell.changes.length === 0 && cell.moved ? t('Moved') : t(WORDS[cell.status]),
    ...(cell.changes.length > 0 ? [`: ${cell.changes.map((part) => t(PARTS[part])).join(', ')}`] : []),
    ...(cell.moved && cell.changes.length > 0 ? ['; moved'] : []),
  ].join('')
  return (
    <div role="listitem" className={`difference-cell difference-${cell.status}`} data-cell-id={one.id}>
      <p className="difference-head">
        <strong>{words}</strong>
        <span>{cell.changes.includes('type') ? `${before?.type} → ${after?.type}` : one.type === 'code' ? t('Code cell') : t('Text cell')}</span>
        {onRestore && (
          <Button small weight="outline" onClick={() => onRestore(one.id)}>
            {cell.status === 'added' ? t('Remove this cell') : t('Restore this cell')}
          </Button>
        )}
      </p>
      {cell.changes.includes('source') ? (
        <SourceDiff before={before?.source ?? ''} after={after?.source ?? ''} grammar={its} layout={layout} />
      ) : (
        <StillSource source={one.source} grammar={its} />
      )}
      {(['metadata', 'attachments'] as const).map(
        (part) =>
          cell.changes.includes(part) && (
            <details key={part} className="difference-part">
              <summary>{part === 'metadata' ? t('Metadata') : t('Attachments')}</summary>
              <SourceDiff before={pretty(before?.[part])} after={pretty(after?.[part])} grammar="plain" layout={layout} />
            </details>
          ),
      )}
      <Outputs notebook={notebook} cell={cell} />
    </div>
  )
}

function Outputs({ notebook, cell }: { notebook: string; cell: CellDifference }) {
  const { before, after } = cell
  const had = before !== null && before.outputs.length > 0
  const has = after !== null && after.outputs.length > 0
  if (!had && !has) return null
  if (before !== null && after !== null && !cell.changes.includes('outputs')) return null
  return (
    <div className="difference-outputs">
      {before !== null && <Side title={t('Output before')} notebook={notebook} cell={before} />}
      {after !== null && <Side title={t('Output after')} notebook={notebook} cell={after} />}
    </div>
  )
}

function Side({ title, notebook, cell }: { title: string; notebook: string; cell: PastCell }) {
  return (
    <section aria-label={title}>
      <h4>{title}</h4>
      {cell.outputs.length === 0 ? <p className="difference-none">{t('None')}</p> : <Shown notebook={notebook} cell={cell.id} outputs={cell.outputs as readonly object[] as readonly Output[]} />}
    </section>
  )
}

const pretty = (value: unknown): string => JSON.stringify(value ?? {}, null, 2)

function summary(changes: readonly CellDifference[], metadata: boolean): string {
  const count = (status: CellDifference['status']) => changes.filter((cell) => cell.status === status).length
  const [added, deleted, changed] = [count('added'), count('deleted'), count('changed')]
  const words = [
    ...(added > 0 ? [tn('{count} added', '{count} added', added)] : []),
    ...(deleted > 0 ? [tn('{count} deleted', '{count} deleted', deleted)] : []),
    ...(changed > 0 ? [tn('{count} changed', '{count} changed', changed)] : []),
    ...(metadata ? [t('metadata changed')] : []),
  ]
  return words.length === 0 ? t('No differences') : words.join(', ')
}
