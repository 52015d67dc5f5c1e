/** All that helps somebody who writes, in one piece: `helping.ts` has it come. */
import { closeBrackets, closeBracketsKeymap, closeCompletion, completionStatus } from '@codemirror/autocomplete'
import { insertNewlineAndIndent } from '@codemirror/commands'
import { type Extension, Prec } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import type { Settings } from '../settings/model'

export { assistance, catchUp } from './assist'

/** Enter is a new line even while completions are offered. */
const newline = Prec.highest(
  keymap.of([{ key: 'Enter', run: (view) => completionStatus(view.state) === 'active' && closeCompletion(view) && insertNewlineAndIndent(view) }]),
)

export function chosenHelp({ editor }: Settings): Extension {
  return [editor.closeBrackets ? [closeBrackets(), keymap.of(closeBracketsKeymap)] : [], editor.acceptOnEnter ? [] : newline]
}
