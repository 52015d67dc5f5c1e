/** One column: what it holds, and which rows of it are wanted. */
import { X } from 'lucide-react'
import { type FormEvent, useEffect, useState } from 'react'
import { type Column, type Filter, type FilterOp, looking, type Looked, type Statistics } from '../../api/looking'
import { number } from '../../i18n/formats'
import { t } from '../../i18n'
import { Button, IconButton, Select, Spinner, TextField } from '../kit'

interface ColumnPanelProps {
  readonly notebook: string
  readonly looked: Looked
  readonly at: number
  readonly column: Column
  readonly onFilter: (filter: Filter | null) => void
  readonly onClose: () => void
}

export function ColumnPanel({ notebook, looked, at, column, onFilter, onClose }: ColumnPanelProps) {
  return (
    <aside className="grid-panel" aria-label={t('Column {name}', { name: column.name })}>
      <div className="panel-head">
        <h3>{column.name}</h3>
        <IconButton label={t('Close column')} icon={<X size={16} aria-hidden />} onClick={onClose} />
      </div>
      <FilterForm key={at} filter={looked.view.filters.find((one) => one.column === at)} at={at} column={column} onFilter={onFilter} />
      <Numbers notebook={notebook} looked={looked} at={at} />
    </aside>
  )
}

function FilterForm({ filter, at, column, onFilter }: Pick<ColumnPanelProps, 'at' | 'column' | 'onFilter'> & { filter: Filter | undefined }) {
  const ordered = column.kind === 'number' || column.kind === 'time'
  const [op, setOp] = useState<FilterOp>(filter?.op ?? (ordered ? 'between' : 'contains'))
  const [text, setText] = useState(filter?.text ?? '')
  const [from, setFrom] = useState(filter?.from ?? '')
  const [to, setTo] = useState(filter?.to ?? '')
  const options: { value: FilterOp; label: string }[] = [
    ...(ordered ? [{ value: 'between' as const, label: t('is between') }] : []),
    { value: 'contains', label: t('contains') }, { value: 'equals', label: t('is exactly') },
    { value: 'null', label: t('is missing') }, { value: 'not_null', label: t('is not missing') },
  ]
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const range = { ...(from.trim() !== '' && { from }), ...(to.trim() !== '' && { to }) }
    if (op === 'between') onFilter(Object.keys(range).length > 0 ? { column: at, op, ...range } : null)
    else onFilter(op === 'null' || op === 'not_null' ? { column: at, op } : text === '' ? null : { column: at, op, text })
  }
  return (
    <form className="grid-filter" onSubmit={submit}>
      <Select label={t('Rows whose value')} value={op} options={options} onChange={setOp} />
      {op === 'between' && (
        <div className="grid-range">
          <TextField label={t('From')} value={from} onChange={setFrom} maxLength={100} />
          <TextField label={t('To')} value={to} onChange={setTo} maxLength={100} />
        </div>
      )}
      {(op === 'contains' || op === 'equals') && <TextField label={t('Text')} value={text} onChange={setText} maxLength={1000} />}
      <div className="grid-range">
        <Button type="submit" small weight="soft">{t('Filter')}</Button>
        {filter && <Button small weight="ghost" onClick={() => onFilter(null)}>{t('Remove filter')}</Button>}
      </div>
    </form>
  )
}

const short = (value: number | string | null | undefined): string => (typeof value === 'number' ? number(value, { maximumSignificantDigits: 6 }) : (value ?? ''))

function Numbers({ notebook, looked, at }: Pick<ColumnPanelProps, 'notebook' | 'looked' | 'at'>) {
  const [said, setSaid] = useState<Statistics | string | null>(null)
  useEffect(() => {
    const leaving = new AbortController()
    setSaid(null)
    looking.statistics(notebook, looked, at, leaving.signal).then(setSaid, (error: unknown) => !leaving.signal.aborted && setSaid(error instanceof Error ? error.message : String(error)))
    return () => leaving.abort()
  }, [notebook, looked, at])
  if (said === null) return <Spinner label={t('Counting')} />
  if (typeof said === 'string') return <p className="panel-note" role="alert">{said}</p>
  const share = said.count > 0 ? Math.round((said.nulls / said.count) * 1000) / 10 : 0
  const lines: (readonly [string, string])[] = [
    [t('Rows'), number(said.count)], [t('Missing'), `${number(said.nulls)} (${share} %)`],
    [said.sampled == null ? t('Different') : t('Different, among {count}', { count: number(said.sampled) }), short(said.distinct)],
    [t('Smallest'), short(said.min)], [t('Largest'), short(said.max)], [t('Mean'), short(said.mean)], [t('Standard deviation'), short(said.std)],
  ]
  const most = Math.max(1, ...(said.top ?? []).map(([, count]) => count))
  return (
    <>
      {said.histogram && <Histogram counts={said.histogram} low={short(said.min)} high={short(said.max)} />}
      <dl className="grid-numbers">
        {lines.filter(([, value]) => value !== '').map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {said.top && said.top.length > 0 && (
        <ol className="grid-top" aria-label={t('Most frequent values')}>
          {said.top.map(([name, count], nth) => (
            <li key={nth} title={name}>
              <span className="grid-bar" style={{ width: `${(count / most) * 100}%` }} />
              <span>{name === '' ? t('(empty)') : name}</span>
              <b>{number(count)}</b>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

function Histogram({ counts, low, high }: { counts: readonly number[]; low: string; high: string }) {
  const most = Math.max(1, ...counts)
  return (
    <figure className="grid-histogram">
      <svg viewBox={`0 0 ${counts.length * 10} 60`} preserveAspectRatio="none" role="img" aria-label={t('Histogram from {low} to {high}', { low, high })}>
        {counts.map((count, at) => (
          <rect key={at} x={at * 10 + 0.5} width={9} y={60 - (count / most) * 58} height={(count / most) * 58}>
            <title>{number(count)}</title>
          </rect>
        ))}
      </svg>
      <figcaption>
        <span>{low}</span>
        <span>{high}</span>
      </figcaption>
    </figure>
  )
}
