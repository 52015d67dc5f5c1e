/** The revisions of the notebook, at the right of the cells: by day, with who wrote them. */
import './history.css'
import { EllipsisVertical, History, Pin, X } from 'lucide-react'
import { useState } from 'react'
import { t } from '../../i18n'
import { history, type Revision } from '../../api/history'
import { useArrival } from '../arrival'
import { Avatar, Button, classes, EmptyState, IconButton, Menu, NameDialog, notifyError, Spinner } from '../kit'
import type { Past } from '../notebook/desk'
import { useChrome, useDesk } from '../notebook/hooks'
import { restore } from './restoring'
import { useRevisions } from './useRevisions'
import { grouped, kindOf, nameOf, peopleOf, sameWriters, timeOf } from './words'

export default function HistoryPanel() {
  const shown = useChrome((chrome) => chrome.history)
  return shown ? <Panel /> : null
}

function Panel() {
  const desk = useDesk()
  const panel = useArrival(true, () => desk.showHistory(false))
  const { list, failure, more } = useRevisions(desk)
  const [naming, setNaming] = useState<Revision | null>(null)
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-right history" aria-label={t('Revision history')}>
      <div className="panel-head">
        <h2>{t('Revision history')}</h2>
        <IconButton label={t('Close revision history')} icon={<X size={16} aria-hidden />} onClick={() => desk.showHistory(false)} />
      </div>
      <div className="history-bar">
        <Button small weight="soft" icon={<Pin size={14} aria-hidden />} onClick={() => desk.open('revision')}>
          {t('Save and pin')}
        </Button>
      </div>
      {failure !== null && <p className="panel-note" role="alert">{failure}</p>}
      {list === null && failure === null && <Spinner />}
      {list?.length === 0 && (
        <EmptyState icon={<History size={36} aria-hidden />} title={t('No revisions yet')}>
          {t('The notebook is saved with every key. A revision is kept every few minutes while it is edited, and whenever you save one.')}
        </EmptyState>
      )}
      {list !== null && list.length > 0 && <List list={list} onName={setNaming} />}
      {more !== null && (
        <Button small weight="ghost" onClick={more}>
          {t('Show older')}
        </Button>
      )}
      <NameDialog
        open={naming !== null}
        onClose={() => setNaming(null)}
        title={t('Name this revision')}
        label={t('Name')}
        initial={naming?.label ?? ''}
        submit={t('Save')}
        onSubmit={async (label) => {
          if (naming !== null) await history.change(desk.id, naming.number, { label })
        }}
      />
    </aside>
  )
}

function List({ list, onName }: { list: readonly Revision[]; onName: (revision: Revision) => void }) {
  return grouped(list, Date.now()).map(({ title, revisions }) => (
    <section key={title} className="history-day">
      <h3>{title}</h3>
      <ol aria-label={t('Revisions of {title}', { title })}>
        {revisions.map((revision, at) => (
          <Entry
            key={revision.number}
            revision={revision}
            quiet={sameWriters(revisions[at - 1], revision)}
            onName={() => onName(revision)}
          />
        ))}
      </ol>
    </section>
  ))
}

const NARROW = 900

interface EntryProps {
  readonly revision: Revision
  /** Those who wrote it are named just above. */
  readonly quiet: boolean
  readonly onName: () => void
}

function Entry({ revision, quiet, onName }: EntryProps) {
  const desk = useDesk()
  const past = useChrome((chrome) => chrome.past)
  const { number } = revision
  const seen = past !== null && (past.see === 'revision' ? past.number === number : past.see === 'difference' && (past.from === number || past.to === number))
  const change = (what: { pinned?: boolean; label?: string | null }) =>
    void history.change(desk.id, number, what).catch((cause: unknown) => notifyError(t('The revision was not changed'), cause))
  // On a narrow page the panel lies over what is to be seen.
  const see = (what: Past) => desk.chrome.setState({ past: what, ...(innerWidth <= NARROW && { history: false }) })
  const other = past?.see === 'revision' && past.number !== number ? past.number : null
  return (
    <li className={classes('history-entry', seen && 'history-seen', quiet && 'history-quiet')}>
      <button type="button" className="history-open" aria-current={seen ? 'true' : undefined} onClick={() => see({ see: 'revision', number })}>
        <span className="history-line">
          <span className="history-name">{revision.label ?? timeOf(revision.created_at)}</span>
          {revision.pinned && <Pin size={13} aria-label={t('Pinned')} />}
        </span>
        <span className="history-kind">
          {revision.label !== null && `${timeOf(revision.created_at)} · `}
          {kindOf(revision)}
        </span>
        <span className="history-people">
          {peopleOf(revision).map((person) => (
            <span key={person.id} className="history-person">
              <Avatar name={person.name} color={person.color} size={18} decorative />
              {person.name}
            </span>
          ))}
        </span>
      </button>
      <Menu
        align="end"
        items={[
          { label: t('Compare with now'), onSelect: () => see({ see: 'difference', from: number, to: 'now' }) },
          { label: t('Compare with the one before'), disabled: number === 1, onSelect: () => see({ see: 'difference', from: number - 1, to: number }) },
          {
            label: t('Compare with the one shown'),
            disabled: other === null,
            onSelect: () => other !== null && see({ see: 'difference', from: Math.min(other, number), to: Math.max(other, number) }),
          },
          'separator',
          { label: t('Name …'), onSelect: onName },
          { label: t('Remove the name'), disabled: revision.label === null, onSelect: () => change({ label: null }) },
          { label: revision.pinned ? t('Unpin') : t('Pin'), onSelect: () => change({ pinned: !revision.pinned }) },
          'separator',
          { label: t('Download .ipynb'), onSelect: () => location.assign(`/api/v1/notebooks/${encodeURIComponent(desk.id)}/revisions/${number}?format=ipynb`) },
          { label: t('Restore all'), onSelect: () => void restore(desk.id, number, null, true).then((done) => done && desk.look(null)) },
        ]}
        trigger={
          <button type="button" className="history-more" aria-label={t('More about {nameOf}', { nameOf: nameOf(revision) })} title={t('More')}>
            <EllipsisVertical size={16} aria-hidden />
          </button>
        }
      />
    </li>
  )
}
