/** What is looked at of the past, in the place of the cells, under a bar that says so. */
import './history.css'
import { useState } from 'react'
import { t } from '../../i18n'
import { history } from '../../api/history'
import { Button, later, Spinner } from '../kit'
import type { Past } from '../notebook/desk'
import { useDesk, useLanguage } from '../notebook/hooks'
import { grammarOf } from '../notebook/languages'
import { CellHistory } from './CellHistory'
import { Frame, useAnswer } from './Frame'
import { PastCells } from './PastCells'
import { restore } from './restoring'
import { nameOf } from './words'

const DifferenceView = later(() => import('./DifferenceView'), <Spinner />)

export default function PastView({ past }: { past: Past }) {
  switch (past.see) {
    case 'revision':
      return <Revision key={past.number} number={past.number} />
    case 'difference':
      return <Difference key={`${past.from} ${past.to}`} from={past.from} to={past.to} />
    case 'cell':
      return <CellHistory key={past.cell} cell={past.cell} />
  }
}

function Revision({ number }: { number: number }) {
  const desk = useDesk()
  const grammar = grammarOf(useLanguage())
  const { answer, failure } = useAnswer(() => history.preview(desk.id, number))
  return (
    <Frame
      title={
        <>
          {t('You are looking at')} <strong>{answer ? nameOf(answer.revision) : t('revision {number}', { number })}</strong>
        </>
      }
      failure={failure}
      actions={
        <>
          <Button small weight="ghost" onClick={() => desk.look({ see: 'difference', from: number, to: 'now' })}>
            {t('Compare with now')}
          </Button>
          <Button small weight="primary" onClick={() => void restore(desk.id, number, null, true).then((done) => done && desk.look(null))}>
            {t('Restore')}
          </Button>
        </>
      }
    >
      {answer ? <PastCells notebook={desk.id} cells={answer.cells} grammar={grammar} onRestore={(cell) => void restore(desk.id, number, [cell], true)} /> : <Spinner />}
    </Frame>
  )
}

function Difference({ from, to }: { from: number; to: number | 'now' }) {
  const desk = useDesk()
  const grammar = grammarOf(useLanguage())
  const [turn, setTurn] = useState(0)
  return (
    <Frame
      title={
        <>
          <strong>{to === 'now' ? t('What changed from revision {from} to now', { from }) : t('What changed from revision {from} to revision {to}', { from, to })}</strong>
        </>
      }
      failure={null}
      actions={
        <Button small weight="primary" onClick={() => void restore(desk.id, from, null, true).then((done) => done && desk.look(null))}>{t('Restore revision {from}', { from })}</Button>
      }
    >
      <Compared
        key={turn}
        from={from}
        to={to}
        grammar={grammar}
        onRestore={(cell) => void restore(desk.id, from, [cell], true).then((done) => done && to === 'now' && setTurn((n) => n + 1))}
      />
    </Frame>
  )
}

function Compared({ from, to, grammar, onRestore }: { from: number; to: number | 'now'; grammar: ReturnType<typeof grammarOf>; onRestore: (cell: string) => void }) {
  const desk = useDesk()
  const { answer, failure } = useAnswer(() => history.diff(desk.id, from, to))
  if (failure !== null) return <p className="past-failure" role="alert">{failure}</p>
  return answer ? <DifferenceView notebook={desk.id} difference={answer} grammar={grammar} onRestore={onRestore} /> : <Spinner />
}
