import { closeCompletion, completionStatus, startCompletion } from '@codemirror/autocomplete'
import { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { expect, test, vi } from 'vitest'
import type { Assistant } from './assist'
import { helping, loadWriting } from './helping'

const never = () => new Promise<null>(() => undefined)
const silent: Assistant = { complete: never, describe: never, signature: never, wrote: () => undefined }

test('what helps somebody who writes comes to the editors that are there, and nothing written is lost', async () => {
  const wrote = vi.fn()
  const made = (assistant: Assistant | null) =>
    new EditorView({ parent: document.body, state: EditorState.create({ doc: 'ab', selection: { anchor: 2 }, extensions: [helping(assistant)] }) })
  const [code, prose, still, gone] = [made({ ...silent, wrote }), made(null), made(silent), made(silent)]
  expect(startCompletion(code)).toBe(false)

  const write = { changes: { from: 2, insert: 'c' }, selection: { anchor: 3 } }
  still.dispatch(write)
  vi.spyOn(code, 'hasFocus', 'get').mockReturnValue(true)
  code.dispatch({ ...write, userEvent: 'input.type' })
  expect(wrote).toHaveBeenCalledTimes(1)
  gone.dispatch({ ...write, userEvent: 'input.type' })
  gone.destroy()
  await loadWriting()

  expect(code.state.doc.toString()).toBe('abc')
  // As if it had been there when the word was written.
  expect(completionStatus(code.state)).toBe('pending')
  expect(completionStatus(still.state)).toBe(null)
  expect(startCompletion(prose)).toBe(false)
  closeCompletion(code)
  expect(startCompletion(code)).toBe(true)
  const later = made(silent)
  expect(startCompletion(later)).toBe(true)
  for (const view of [code, prose, still, later]) view.destroy()
})
