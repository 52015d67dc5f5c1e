import { completionStatus, startCompletion } from '@codemirror/autocomplete'
import { EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap, runScopeHandlers } from '@codemirror/view'
import { expect, test } from 'vitest'
import { type Assistant, assistance } from './assist'

const never = () => new Promise<null>(() => undefined)
const silent: Assistant = { complete: never, describe: never, signature: never, wrote: () => undefined }

test('Escape leaves a text whose completions have not come, and they are not waited for', () => {
  let left = 0
  const leaving = Prec.lowest(keymap.of([{ key: 'Escape', run: () => ((left += 1), true) }]))
  const view = new EditorView({ state: EditorState.create({ doc: 'abc', selection: { anchor: 3 }, extensions: [assistance(silent), leaving] }) })
  startCompletion(view)
  expect(completionStatus(view.state)).toBe('pending')

  runScopeHandlers(view, new KeyboardEvent('keydown', { key: 'Escape' }), 'editor')

  expect(left).toBe(1)
  expect(completionStatus(view.state)).toBe(null)
  view.destroy()
})
