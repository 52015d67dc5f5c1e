/** Pictures that are pasted or dropped into a text. */
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'

export type TakePictures = (files: readonly File[], view: EditorView, at: number) => void

const picturesIn = (transfer: DataTransfer | null): File[] => [...(transfer?.files ?? [])].filter(({ type }) => type.startsWith('image/'))

export function pictures(take: TakePictures): Extension {
  return EditorView.domEventHandlers({
    paste(event, view) {
      const files = picturesIn(event.clipboardData)
      // What comes from a word processor has both; its words are what was meant.
      if (files.length === 0 || event.clipboardData?.getData('text/plain') !== '') return false
      event.preventDefault()
      take(files, view, view.state.selection.main.from)
      return true
    },
    drop(event, view) {
      const files = picturesIn(event.dataTransfer)
      if (files.length === 0) return false
      event.preventDefault()
      event.stopPropagation()
      take(files, view, view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? view.state.doc.length)
      return true
    },
  })
}
