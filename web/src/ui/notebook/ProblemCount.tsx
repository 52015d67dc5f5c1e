/** How much is wrong in the code of the notebook, as far as that is known; pressing it leads from one place to the next. */
import { CircleX, TriangleAlert } from 'lucide-react'
import { useStore } from 'zustand'
import { number } from '../../i18n/formats'
import { t, tn } from '../../i18n'
import { knowing } from './assistant'
import { useDesk } from './hooks'

export function ProblemCount() {
  const desk = useDesk()
  const { errors, warnings } = useStore(desk.problems)
  if (errors + warnings === 0) return null
  const said = [errors > 0 && tn('{count} error', '{count} errors', errors), warnings > 0 && tn('{count} warning', '{count} warnings', warnings)].filter(Boolean).join(', ')
  const label = t('{problems}. Go to the next', { problems: said })
  return (
    <button type="button" className="tool tool-problems" aria-label={label} title={label} onClick={() => void knowing(desk, (doing, language) => doing.nextProblem(desk, language, 1))}>
      {errors > 0 && (
        <span className="tool-errors">
          <CircleX size={15} aria-hidden /> {number(errors)}
        </span>
      )}
      {warnings > 0 && (
        <span className="tool-warnings">
          <TriangleAlert size={15} aria-hidden /> {number(warnings)}
        </span>
      )}
    </button>
  )
}
