/** A lock as text that can be edited. */
import { useLayoutEffect, useRef } from 'react'
import * as Y from 'yjs'
import { mountEditor } from '../../editor/editor'

/** `text` is what it begins with; another text begins anew. */
export function LockEditor({ text, readOnly, onChange }: { text: string; readOnly: boolean; onChange: (text: string) => void }) {
  const host = useRef<HTMLDivElement>(null)
  const changed = useRef(onChange)
  changed.current = onChange
  useLayoutEffect(() => {
    const draft = new Y.Doc().getText('lock')
    draft.insert(0, text)
    draft.observe(() => changed.current(draft.toString()))
    const view = mountEditor({
      parent: host.current!,
      text: draft,
      awareness: null,
      language: 'code',
      name: 'pylock.toml',
      readOnly,
      lineNumbers: true,
      assistant: null,
      leave: () => view.contentDOM.blur(),
      focused: () => undefined,
      beyond: () => false,
    })
    return () => view.destroy()
  }, [text, readOnly])
  return <div className="lock-editor" ref={host} />
}
