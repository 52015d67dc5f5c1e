/**
 * Keys pressed while an output has the keyboard. The frame that shows it tells of a few, and a hostile one may tell of
 * them without a key: so Escape gives the keyboard back, keys that run a cell do the same and say so, and of the commands
 * only those are heard that run nothing and change nothing, after somebody has just pressed something. What is pressed
 * after that is still in doubt (handover.ts).
 */
import { t } from '../../i18n'
import type { CellId } from '../../model/wire'
import type { KeyWish } from '../../outputs/frame/wire'
import { keysAsked, OUTPUT_KEY } from '../../outputs/keys'
import { settings } from '../../settings/store'
import { bindingsOf, mac } from '../commands/keys'
import { type Command, usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import { notify } from '../kit'
import type { Desk } from './desk'

const RUNNING: readonly string[] = ['run', 'run-next', 'run-insert', 'run-selection']
/** The same wish, however often it is said. */
const EVERY_MS = 500

export const runsCells = ({ id }: Command): boolean => RUNNING.includes(id)

const wishOf = (command: Command): KeyWish | null => {
  const { id, harmless } = command
  return runsCells(command) ? 'run' : harmless === true ? `command:${id}` : null
}

function tellFrames(): void {
  const keys = bindingsOf(COMMANDS, settings.getState().keys).flatMap(({ command, strokes, where }) => {
    const wish = wishOf(command)
    return wish !== null && strokes.length === 1 && where !== 'cells' ? [{ stroke: strokes[0]!, wish }] : []
  })
  keysAsked.setState({ mac, keys })
}

/** Hears outputs as long as the notebook is open; gives what ends it. `told`: the person was told of it, at this time. */
export function hearOutputs(desk: Desk, told: (at: number) => void): () => void {
  tellFrames()
  const unsubscribe = settings.subscribe(({ keys }, before) => keys !== before.keys && tellFrames())
  const last = new Map<string, number>()
  const heard = (event: Event) => {
    const { detail: wish, target } = event as CustomEvent<string>
    if (!(target instanceof HTMLElement)) return
    if (wish === 'back') return giveBack(desk, target)
    const command = COMMANDS.find(({ id, harmless }) => harmless === true && wish === `command:${id}`)
    if ((wish !== 'run' && !command) || event.timeStamp - (last.get(wish) ?? -Infinity) < EVERY_MS) return
    last.set(wish, event.timeStamp)
    if (!command) {
      giveBack(desk, target)
      told(event.timeStamp)
      return notify({ title: t('The output had the keyboard'), detail: t('Press the keys again to run the cell.') })
    }
    if (navigator.userActivation?.isActive && usable(command, desk)) command.run(desk)
  }
  document.addEventListener(OUTPUT_KEY, heard)
  return () => {
    unsubscribe()
    document.removeEventListener(OUTPUT_KEY, heard)
  }
}

/** To the dialog or the cell that shows the output. */
function giveBack(desk: Desk, output: HTMLElement): void {
  const dialog = output.closest<HTMLElement>('[role="dialog"]')
  if (dialog) return dialog.focus()
  const cell = output.closest<HTMLElement>('.cell-group > [data-cell-id]')?.dataset['cellId'] as CellId | undefined
  if (cell !== undefined) return desk.goTo(cell)
  const near = output.closest('section')?.querySelector<HTMLElement>('.cm-content, button')
  if (near) near.focus()
  else (document.activeElement as HTMLElement | null)?.blur()
}
