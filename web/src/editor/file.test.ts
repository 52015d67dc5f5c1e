// @vitest-environment jsdom
import { expect, test } from 'vitest'
import { type FileEditor, mountFileEditor } from './file'
import { yUndoManagerKeymap } from 'y-codemirror.next'

function mounted(text: string, lineEnds: '\n' | '\r\n' = '\n'): FileEditor {
  return mountFileEditor({ parent: document.body, text, lineEnds, ending: 'txt', label: 'a.txt', readOnly: false, changed: () => {} })
}
const undo = (editor: FileEditor) => yUndoManagerKeymap.find(({ key }) => key === 'Mod-z')!.run!(editor.view)

test('a file is written back as it was read but for the edit', () => {
  for (const [text, ends] of [['a\r\nb\r\n', '\r\n'], ['a\rb\r\nc\n', '\n'], ['\ufeffa\n', '\n'], ['', '\n']] as const) {
    const editor = mounted(text, ends)
    expect(editor.text()).toBe(text)
    editor.view.dispatch({ changes: { from: 0, insert: 'x\n' } })
    expect(editor.text()).toBe(`x${ends}${text}`)
    editor.destroy()
  }
})

test('undo leads back over an edit, and over another text that was loaded', () => {
  const editor = mounted('one')
  editor.replace('two\r\n', '\r\n')
  expect(editor.text()).toBe('two\r\n')
  undo(editor)

  expect(editor.view.state.doc.toString()).toBe('one')
  editor.destroy()
})
