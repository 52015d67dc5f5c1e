/** The text of a file in an editor; what is not saved stays until it is, or is given up. */
import type { Text } from '@codemirror/state'
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react'
import { type FileEditor, mountFileEditor } from '../../editor/file'
import { ending, lineEnds, nameOf, shown } from './paths'

export interface TextFileHandle {
  /** The text as it is now, and how to say that the file holds it. */
  now(): { readonly text: string; readonly saved: () => void }
  /** The file holds this; undo leads back to what was here. */
  replace(text: string): void
}

export interface TextFileProps {
  readonly path: string
  /** As it was read; later texts come by `replace`. */
  readonly text: string
  readonly readOnly: boolean
  readonly visible: boolean
  readonly onDirty: (dirty: boolean) => void
  readonly ref: Ref<TextFileHandle>
}

export function TextFile({ path, text, readOnly, visible, onDirty, ref }: TextFileProps) {
  const host = useRef<HTMLDivElement>(null)
  const editor = useRef<FileEditor | null>(null)
  const kept = useRef<Text | null>(null)
  const told = useRef(onDirty)
  told.current = onDirty
  const name = nameOf(path)
  const end = ending(name)
  const first = useRef({ text, readOnly, label: shown(name) })

  useImperativeHandle(ref, () => {
    const holds = (doc: Text) => {
      kept.current = doc
      told.current(editor.current !== null && !editor.current.view.state.doc.eq(doc))
    }
    return {
      now: () => {
        const doc = editor.current!.view.state.doc
        return { text: editor.current!.text(), saved: () => holds(doc) }
      },
      replace: (next) => {
        editor.current?.replace(next, lineEnds(next))
        if (editor.current) holds(editor.current.view.state.doc)
      },
    }
  }, [])

  useEffect(() => {
    const opened = first.current
    const made = mountFileEditor({
      parent: host.current!,
      text: opened.text,
      lineEnds: lineEnds(opened.text),
      ending: end,
      label: opened.label,
      readOnly: opened.readOnly,
      changed: (doc) => told.current(kept.current === null || !doc.eq(kept.current)),
    })
    editor.current = made
    kept.current = made.view.state.doc
    return () => {
      first.current = { ...opened, text: made.text() }
      made.destroy()
      editor.current = null
    }
  }, [end])
  useEffect(() => editor.current?.readOnly(readOnly), [readOnly])
  useEffect(() => {
    if (!visible) return
    editor.current?.view.requestMeasure()
    editor.current?.view.focus()
  }, [visible])

  return <div className="file-text" ref={host} hidden={!visible} />
}
