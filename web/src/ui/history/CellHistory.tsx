/** What one cell said over time: a slider through its versions, each beside the one before it. */
import { useState } from 'react'
import { t } from '../../i18n'
import { type CellVersion, history } from '../../api/history'
import { rewrite } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { Avatar, Button, EmptyState, later, notify, Spinner } from '../kit'
import { useDesk, useLanguage } from '../notebook/hooks'
import { grammarOf } from '../notebook/languages'
import { Frame, useAnswer } from './Frame'
import { momentOf } from './words'

const SourceDiff = later(async () => ({ default: (await import('./SourceDiff')).SourceDiff }), <Spinner />)

export function CellHistory({ cell }: { cell: CellId }) {
  const desk = useDesk()
  const { answer, failure } = useAnswer(() => history.cell(desk.id, cell))
  const [at, setAt] = useState<number | null>(null)
  const last = (answer?.length ?? 0) - 1
  const chosen = at ?? last
  const version = answer?.[chosen]
  return (
    <Frame
      title={
        <strong>{t('History of one cell')}</strong>
      }
      failure={failure}
      actions={
        version && (
          <Button small weight="primary" disabled={chosen === last} onClick={() => bring(desk, cell, version)}>
            {t('Restore this version')}
          </Button>
        )
      }
    >
      {answer === null && <Spinner />}
      {answer?.length === 0 && <EmptyState icon={null} title={t('Nothing is kept of this cell')}>{t('It is newer than the last save, or older than what is kept.')}</EmptyState>}
      {answer && version && (
        <div className="cell-history">
          <label className="cell-history-slider">
            <span className="visually-hidden">{t('Version')}</span>
            <input type="range" min={0} max={last} value={chosen} aria-valuetext={momentOf(version.at)} onChange={(event) => setAt(Number(event.target.value))} />
          </label>
          <p className="cell-history-who" role="status">
            {version.author && <Avatar name={version.author.name} color={version.author.color} size={22} decorative />}
            <strong>{version.author?.name ?? t('As it was before')}</strong>
            <span>{momentOf(version.at)}</span>
            <span>
              {t('version {number} of {count}', { number: chosen + 1, count: last + 1 })}
            </span>
            {version.deleted && <span>{t('deleted')}</span>}
          </p>
          <Version key={version.seq} before={answer[chosen - 1]} version={version} />
        </div>
      )}
    </Frame>
  )
}

function Version({ before, version }: { before: CellVersion | undefined; version: CellVersion }) {
  const grammar = grammarOf(useLanguage())
  return <SourceDiff before={before?.source ?? ''} after={version.source} grammar={version.type === 'code' ? grammar : 'plain'} layout="inline" />
}

/** The own edit of whoever presses: it is undone as any other. */
function bring(desk: ReturnType<typeof useDesk>, cell: CellId, version: CellVersion): void {
  rewrite(desk.room.doc, cell, version.source)
  desk.look(null)
  desk.goTo(cell)
  notify({ title: t('The cell says again what it said then'), kind: 'good', action: { label: t('Undo'), run: () => desk.undo() } })
}
