import { completionStatus, startCompletion } from '@codemirror/autocomplete'
import { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { expect, test } from 'vitest'
import type { Assistant } from './assist'
import { helping, loadWriting } from './helping'

const never = () => new Promise<null>(() => undefined)
const silent: Assistant = { complete: never, describe: never, signature: never, wrote: () => undefined }

test('what helps somebody who writes comes to the editors that are there, and nothing written is lost', async () => {
  const made = (assistant: Assistant | null) => new EditorView({ state: EditorState.create({ doc: 'ab', selection: { anchor: 2 }, extensions: [helping(assistant)] }) })
  const [code, prose, gone] = [made(silent), made(null), made(silent)]
  expect(startCompletion(code)).toBe(false)

  const coming = loadWriting()
  code.dispatch({ changes: { from: 2, insert: 'c' }, selection: { anchor: 3 } })
  gone.destroy()
  await coming

  expect(code.state.doc.toString()).toBe('abc')
  expect(startCompletion(code)).toBe(true)
  expect(completionStatus(code.state)).toBe('pending')
  expect(startCompletion(prose)).toBe(false)
  const later = made(silent)
  expect(startCompletion(later)).toBe(true)
  for (const view of [code, prose, later]) view.destroy()
})
