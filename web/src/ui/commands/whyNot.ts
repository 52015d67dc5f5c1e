/** Why a command cannot be used now, in a few words for the palette. It comes with that: nothing else asks. */
import { msg, t } from '../../i18n'
import type { Desk } from '../notebook/desk'
import { type Command, connected, focused } from './model'

const RIGHTS = { write: msg('You may not edit here'), run: msg('You may not run here'), comment: msg('You may not comment here') } as const

const CONDITIONS = new Map<Command['enabled'], string>([
  [focused, msg('No cell is chosen')],
  [connected, msg('No runtime is connected')],
])

/** Of commands with a condition of their own; the first that fits. */
const OWN: readonly (readonly [RegExp, string])[] = [
  [/^undo$/, msg('There is nothing to undo')],
  [/^redo$/, msg('There is nothing to redo')],
  [/^(move-file|trash)$/, msg('Only the owner can')],
  [/^download-log$/, msg('The cell has not run here')],
  [/^(locate|new-notebook|open|search|upload|save-copy|info|download.*)$/, msg('You are not signed in')],
  [/^playground$/, msg('Not in a playground, nor as a guest')],
  [/^(full|scroll|wrap|copy)-output$/, msg('The cell has no output')],
  [/^copy-output-image$/, msg('The cell has no picture')],
  [/^copy-output-table$/, msg('The cell has no table')],
  [/^save-output-/, msg('The cell has no such output')],
  [/^connect$/, msg('A runtime is connected')],
  [/^(run|collapse|expand)-section$/, msg('The cell is in no section')],
  [/^save-snippet$|^add-form/, msg('Needs a code cell')],
  [/^form-code$/, msg('The cell hides no code behind a form')],
  [/^format-(cells|notebook)$/, msg('Needs a runtime with Python')],
  [/^format-/, msg('Only in the text of a text cell')],
  [/^(definition|references|rename-symbol|quick-fix|(next|previous)-problem)$/, msg('Needs a runtime with Python')],
]
const WRITING = msg('Only in the text of a cell')

/** The words for a command that is not usable now; null: nobody has written down why. */
export function whyNot(command: Command, desk: Pick<Desk, 'may'>): string | null {
  const { id, needs, enabled, under } = command
  if (needs !== undefined && !desk.may(needs)) return t(RIGHTS[needs])
  const words = CONDITIONS.get(enabled) ?? (under === 'Text' ? WRITING : OWN.find(([ids]) => ids.test(id))?.[1])
  return words === undefined ? null : t(words)
}
