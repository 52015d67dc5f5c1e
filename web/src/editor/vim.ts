/** Vim's keys inside of a cell's text; undo and redo are the shared text's, which take back only one's own. */
import { Vim, vim } from '@replit/codemirror-vim'
import type { EditorView } from '@codemirror/view'
import { yUndoManagerKeymap } from 'y-codemirror.next'

function times(key: string) {
  const run = yUndoManagerKeymap.find((binding) => binding.key === key)!.run!
  return (cm: { cm6: EditorView }, { repeat }: { repeat?: number }) => {
    for (let left = repeat ?? 1; left > 0; left--) run(cm.cm6)
  }
}

Vim.defineAction('undo', times('Mod-z'))
Vim.defineAction('redo', times('Mod-y'))

export const vimKeys = vim()
