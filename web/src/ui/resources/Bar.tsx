/** Part of a whole, as a bar with its numbers. */
import { share } from '../../model/usage'
import { classes } from '../kit'

export function Bar({ label, part, whole, text }: { label: string; part: number; whole: number; text: string }) {
  const full = share(part, whole)
  return (
    <div className="use">
      <span className="use-label">{label}</span>
      <span className="use-text">{text}</span>
      <div className="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(full * 100)} aria-valuetext={text}>
        <div className={classes('meter-part', full >= 0.95 ? 'meter-full' : full >= 0.85 && 'meter-high')} style={{ width: `${full * 100}%` }} />
      </div>
    </div>
  )
}
