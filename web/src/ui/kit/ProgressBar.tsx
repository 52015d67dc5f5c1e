/** How far something has come; without a value, that it is under way. */
import { Progress } from '@base-ui/react/progress'

export function ProgressBar({ label, value }: { label: string; value: number | null }) {
  return (
    <Progress.Root className="progress" value={value === null ? null : Math.round(value * 100)} aria-label={label}>
      <Progress.Track className="progress-track">
        <Progress.Indicator className="progress-indicator" />
      </Progress.Track>
    </Progress.Root>
  )
}
