/** A lock as text that can be edited. */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { StreamLanguage, syntaxHighlighting } from '@codemirror/language'
import { toml } from '@codemirror/legacy-modes/mode/toml'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, keymap } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { useLayoutEffect, useRef } from 'react'
import { look } from '../../editor/theme'

/** `text` is what it begins with; another text begins anew. */
export function LockEditor({ text, readOnly, onChange }: { text: string; readOnly: boolean; onChange: (text: string) => void }) {
  const host = useRef<HTMLDivElement>(null)
  const changed = useRef(onChange)
  changed.current = onChange
  useLayoutEffect(() => {
    const view = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          history(),
          drawSelection(),
          keymap.of([...historyKeymap, ...defaultKeymap]),
          StreamLanguage.define(toml),
          syntaxHighlighting(classHighlighter),
          look,
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ 'aria-label': 'pylock.toml', spellcheck: 'false' }),
          EditorView.updateListener.of((update) => update.docChanged && changed.current(update.state.doc.toString())),
        ],
      }),
    })
    return () => view.destroy()
  }, [text, readOnly])
  return <div className="lock-editor" ref={host} />
}
