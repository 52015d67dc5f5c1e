/** Vim's keys inside of a cell's text; undo and redo are the shared text's, which take back only one's own. `:w` and `:q` are the page's. */
import { getCM, Vim, vim } from '@replit/codemirror-vim'
import { type EditorView, ViewPlugin } from '@codemirror/view'
import { ySyncFacet, yUndoManagerKeymap } from 'y-codemirror.next'
import { CAPTURE_MS, undoOf } from './history'
import { outside } from './outside'

function times(key: string) {
  const run = yUndoManagerKeymap.find((binding) => binding.key === key)!.run!
  return (cm: { cm6: EditorView }, { repeat }: { repeat?: number }) => {
    for (let left = repeat ?? 1; left > 0; left--) run(cm.cm6)
  }
}

Vim.defineAction('undo', times('Mod-z'))
Vim.defineAction('redo', times('Mod-y'))

const write = ({ cm6 }: { cm6: EditorView }) => cm6.state.facet(outside)?.save()
/** The line that `:q` was typed in gives the focus back to the text when it goes. */
const leave = ({ cm6 }: { cm6: EditorView }) => setTimeout(() => cm6.state.facet(outside)?.leave())

Vim.defineEx('write', 'w', write)
Vim.defineEx('quit', 'q', leave)
Vim.defineEx('wq', 'wq', (cm: { cm6: EditorView }) => (write(cm), leave(cm)))
Vim.defineEx('xit', 'x', (cm: { cm6: EditorView }) => (write(cm), leave(cm)))

/** One command is one step of undo, however fast the next one follows; so is all that is written in insert mode. */
const steps = ViewPlugin.define((view) => {
  const cm = getCM(view)
  const { ytext } = view.state.facet(ySyncFacet)
  const ended = () => {
    const history = undoOf(ytext)
    const inserts = cm?.state.vim?.insertMode === true
    history.captureTimeout = inserts ? Infinity : CAPTURE_MS
    if (!inserts) history.stopCapturing()
  }
  const EVENTS = ['vim-command-done', 'vim-mode-change']
  for (const event of EVENTS) cm?.on(event, ended)
  return {
    destroy: () => {
      for (const event of EVENTS) cm?.off(event, ended)
      undoOf(ytext).captureTimeout = CAPTURE_MS
    },
  }
})

export const vimKeys = [vim(), steps]
