/** Draws the tooltip, and puts it where there is room. */
import { Tooltip } from '@base-ui/react/tooltip'
import type { Shown } from './shown'

/** One of its own for each element: a tooltip without a trigger opens only when it is made. */
export default function DrawnHint({ hint: { anchor, text, shortcut, side }, dismiss }: { hint: Shown; dismiss: () => void }) {
  return (
    <Tooltip.Root open onOpenChange={(open) => !open && dismiss()}>
      <Tooltip.Portal>
        <Tooltip.Positioner anchor={anchor} side={side ?? 'top'} sideOffset={6} className="layer">
          <Tooltip.Popup className="tooltip">
            {text}
            {shortcut !== undefined && <kbd>{shortcut}</kbd>}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}
