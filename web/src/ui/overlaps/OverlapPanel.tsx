/** In a cell that people and a file changed: both versions beside each other, and a choice. */
import { presentableDiff } from '@codemirror/merge'
import { useMemo, useState } from 'react'
import { msg, t } from '../../i18n'
import { textOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { Button } from '../kit'
import { SourceText } from '../SourceText'
import { useCellMap, useDesk, useMay, useText } from '../notebook/hooks'
import './overlaps.css'
import { type Choice, decide, type Overlap } from './store'

export default function OverlapPanel({ id, overlaps }: { id: CellId; overlaps: readonly Overlap[] }) {
  const cell = useCellMap(id)
  return cell && overlaps.map((one) => <One key={one.id} cell={cell} overlap={one} />)
}

type Offer = readonly [choice: Choice, label: string]

const MET: readonly Offer[] = [['keep', msg('Keep current')], ['take', msg('Take the file’s')], ['both', msg('Keep both')]]
const DELETED_THERE: readonly Offer[] = [['keep', msg('Keep current')], ['take', msg('Delete the cell')]]
const DELETED_HERE: readonly Offer[] = [['take', msg('Keep the cell')], ['keep', msg('Delete it again')]]

function One({ cell, overlap }: { cell: NonNullable<ReturnType<typeof useCellMap>>; overlap: Overlap }) {
  const desk = useDesk()
  const may = useMay('write')
  const now = useText(textOf(cell))
  const [busy, setBusy] = useState<Choice | null>(null)
  const [offers, words] =
    overlap.theirs === null
      ? [DELETED_THERE, t('The file has this cell no more. It was changed here, so it stays until you decide.')]
      : overlap.ours === null
        ? [DELETED_HERE, t('This cell was deleted here. It was changed in the file, so it is back until you decide.')]
        : [MET, t('The same lines were changed here and in a file that came from outside.')]
  const choose = (choice: Choice) => {
    setBusy(choice)
    void decide(desk, overlap, choice).finally(() => setBusy(null))
  }
  return (
    <section className="overlap" aria-label={t('Overlap with a file')} onKeyDown={(event) => event.stopPropagation()}>
      <p className="overlap-words">{words}</p>
      {overlap.ours !== null && overlap.theirs !== null && <Sides now={now} theirs={overlap.theirs} />}
      {may && (
        <div className="overlap-choices">
          {offers.map(([choice, label], at) => (
            <Button key={choice} small weight={at === 0 ? 'primary' : 'soft'} busy={busy === choice} disabled={busy !== null} onClick={() => choose(choice)}>
              {t(label)}
            </Button>
          ))}
        </div>
      )}
    </section>
  )
}

/** What may be compared is bounded: two large texts that have nothing in common would hold the page up. */
const DIFF = { scanLimit: 500, timeout: 100 }

function Sides({ now, theirs }: { now: string; theirs: string }) {
  const changes = useMemo(() => presentableDiff(now, theirs, DIFF), [now, theirs])
  return (
    <div className="overlap-sides">
      <figure>
        <figcaption>{t('Current')}</figcaption>
        <pre tabIndex={0} aria-label={t('Current')}><SourceText text={now} changed={changes.map(({ fromA, toA }) => [fromA, toA])} /></pre>
      </figure>
      <figure>
        <figcaption>{t('In the file')}</figcaption>
        <pre tabIndex={0} aria-label={t('In the file')}><SourceText text={theirs} changed={changes.map(({ fromB, toB }) => [fromB, toB])} /></pre>
      </figure>
    </div>
  )
}
