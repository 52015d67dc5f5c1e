/** Two editors on one text: what one types arrives whole at the other, whatever closes, indents or replaces itself. */
import { toggleComment } from '@codemirror/commands'
import type { EditorView } from '@codemirror/view'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import * as Y from 'yjs'
import { set } from '../settings/store'
import { dice } from '../testing/seeded'
import { mountEditor } from './editor'
import { loadWriting } from './helping'

let editors: EditorView[] = []
let docs: Y.Doc[] = []

function together(...names: string[]): EditorView[] {
  docs = names.map(() => new Y.Doc())
  docs.forEach((doc, at) => {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'wire') docs.forEach((other, to) => to !== at && Y.applyUpdate(other, update, 'wire'))
    })
  })
  editors = docs.map((doc) =>
    mountEditor({
      parent: document.body, text: doc.getText('source'), awareness: null, language: 'python', readOnly: false, assistant: null, leave: () => undefined, focused: () => undefined, beyond: () => false,
    }),
  )
  return editors
}

/** As a keyboard does it: extensions that listen to typing see it first. */
function type(view: EditorView, text: string): void {
  for (const letter of text) {
    const { from, to } = view.state.selection.main
    const insert = () => view.state.update(view.state.replaceSelection(letter), { userEvent: 'input.type', scrollIntoView: true })
    if (!view.state.facet((view.constructor as typeof EditorView).inputHandler).some((handler) => handler(view, from, to, letter, insert))) view.dispatch(insert())
  }
}

const texts = () => [...editors.map((view) => view.state.doc.toString()), ...docs.map((doc) => doc.getText('source').toString())]

beforeAll(loadWriting)

beforeEach(() => set({ editor: { closeBrackets: true, indent: 4 }, keys: { preset: 'default' } }))
afterEach(() => editors.forEach((view) => view.destroy()))

test('brackets that close themselves are typed over, while a colleague types in front of them', () => {
  const [ada, bob] = together('ada', 'bob')
  type(ada!, 'print(')
  expect(ada!.state.doc.toString()).toBe('print()')
  bob!.dispatch({ selection: { anchor: 0 } })
  type(bob!, 'x = ')
  type(ada!, '1')
  type(bob!, '[')
  type(ada!, ')')

  expect(new Set(texts())).toEqual(new Set(['x = [print(1)']))
})

test('each takes back only what they typed themselves', () => {
  const [ada, bob] = together('ada', 'bob')
  type(ada!, 'one\n')
  type(bob!, '# two\n')
  const undo = (view: EditorView) => view.contentDOM.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', code: 'KeyZ', keyCode: 90, ctrlKey: true, bubbles: true, cancelable: true }))
  undo(ada!)

  expect(new Set(texts())).toEqual(new Set(['# two\n']))
})

test('random edits with brackets, comments and several cursors leave everyone with the same text', () => {
  const random = dice(11)
  const all = together('ada', 'bob', 'cat')
  for (let step = 0; step < 100; step++) {
    const view = all[random(3)]!
    const at = random(view.state.doc.length + 1)
    const other = random(view.state.doc.length + 1)
    view.dispatch({ selection: { anchor: at, head: random(3) === 0 ? other : at } })
    if (random(12) === 0) toggleComment(view)
    else type(view, ['(', '[', '"', ')', 'a', '\n', '🙂', ']', "'"][random(9)]!)
    expect(new Set(texts()).size, `step ${step}`).toBe(1)
  }
})

test('what is set reaches editors that are alive', () => {
  const [ada] = together('ada')
  set({ editor: { closeBrackets: false, indent: 2, lineNumbers: true } })
  type(ada!, '(')

  expect(ada!.state.doc.toString()).toBe('(')
  expect(ada!.state.tabSize).toBe(2)
  expect(ada!.dom.querySelector('.cm-lineNumbers')).not.toBeNull()
})
