/** Two notebooks beside each other: files of this computer, notebooks of the drive, or others on the web. None is kept. */
import './diff.css'
import { ArrowRightLeft, GitCompare } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { t } from '../../i18n'
import { type Difference, history } from '../../api/history'
import { Button, EmptyState, IconButton, later, notifyError, Spinner } from '../../ui/kit'
import { TopBar } from '../../ui/TopBar'
import { Chooser } from './Chooser'
import { grammarOf } from '../../ui/notebook/languages'
import type { Chosen } from './chosen'

const DifferenceView = later(() => import('../../ui/history/DifferenceView'), <Spinner />)

export default function DiffPage() {
  const [before, setBefore] = useState<Chosen | null>(null)
  const [after, setAfter] = useState<Chosen | null>(null)
  const [found, setFound] = useState<Difference | null>(null)
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    document.title = t('Compare notebooks – Collegium')
  }, [])
  useEffect(() => setFound(null), [before, after])
  const result = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a small screen it begins out of sight, below what was chosen.
    if (found !== null && result.current && result.current.getBoundingClientRect().top > innerHeight / 2) result.current.scrollIntoView({ block: 'start' })
  }, [found])
  const compare = async (older: Chosen, newer: Chosen) => {
    setBusy(true)
    try {
      setFound(await history.compare(older.side, newer.side))
    } catch (cause) {
      notifyError(t('The notebooks could not be compared'), cause)
    }
    setBusy(false)
  }
  return (
    <div className="diff-page">
      <TopBar>
        <h1 className="diff-title">{t('Compare notebooks')}</h1>
      </TopBar>
      <main className="diff-main">
        <div className="diff-choice">
          <Chooser title={t('Before')} chosen={before} onChoose={setBefore} />
          <IconButton
            label={t('Swap the two')}
            icon={<ArrowRightLeft size={18} aria-hidden />}
            onClick={() => {
              setBefore(after)
              setAfter(before)
            }}
          />
          <Chooser title={t('After')} chosen={after} onChoose={setAfter} />
        </div>
        <div className="diff-go">
          <Button
            weight="primary"
            icon={<GitCompare size={16} aria-hidden />}
            busy={busy}
            disabled={before === null || after === null}
            onClick={() => before !== null && after !== null && void compare(before, after)}
          >
            {t('Compare')}
          </Button>
        </div>
        {found !== null ? (
          <section ref={result} className="diff-found" aria-label={t('Differences')}>
            <DifferenceView notebook="" difference={found} grammar={grammarOf(found.language)} />
          </section>
        ) : (
          <EmptyState icon={<GitCompare size={36} aria-hidden />} title={t('Choose two notebooks')}>
            {t('Cells are matched by their ids, and by what they say where those differ. Nothing is kept on the server.')}
          </EmptyState>
        )}
      </main>
    </div>
  )
}
