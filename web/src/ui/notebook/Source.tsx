/** A cell's text: an editor while someone may be near it, plain text while it is far. */
import type { EditorView } from '@codemirror/view'
import { memo, useImperativeHandle, useLayoutEffect, useRef, type Ref } from 'react'
import { type Grammar, mountEditor } from '../../editor/editor'
import { textWithMarks } from '../../editor/unseen'
import { t } from '../../i18n'
import { type CellMap, textOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { settings } from '../../settings/store'
import { assistantOf } from './assistant'
import { attach } from './attaching'
import { useDesk, useEditable } from './hooks'
import { saySaved } from './saved'

export interface SourceHandle {
  edit(at: 'start' | 'end' | number): void
  /** Where the cursors are, and where what is selected begins and ends; none without an editor. */
  cursors(): readonly number[]
}

interface SourceProps {
  readonly id: CellId
  readonly cell: CellMap
  readonly language: Grammar
  /** It is code: the kernel assists, and the arrows lead on to the next cell. */
  readonly code?: boolean
  readonly leave: () => void
  readonly placeholder?: string
  readonly ref: Ref<SourceHandle>
}

export const Source = memo(function Source({ id, cell, language, code = false, leave, placeholder, ref }: SourceProps) {
  const desk = useDesk()
  const host = useRef<HTMLDivElement>(null)
  const editor = useRef<EditorView | null>(null)
  const editable = useEditable(cell)

  useImperativeHandle(ref, () => ({
    edit(at) {
      if (host.current) desk.pool.need(host.current)
      const view = editor.current
      if (!view) return
      const to = at === 'start' ? 0 : at === 'end' ? view.state.doc.length : at
      const keep = view.hasFocus || (at === 'end' && view.state.selection.main.head > 0)
      view.dispatch({ ...(!keep && { selection: { anchor: to } }), scrollIntoView: true })
      view.focus()
    },
    cursors: () => editor.current?.state.selection.ranges.flatMap(({ from, to }) => (from === to ? [from] : [from, to])) ?? [],
  }), [desk])

  useLayoutEffect(() => {
    const element = host.current!
    const text = textOf(cell)
    let stop = still(element, text)
    const mount = () => {
      const hadFocus = element.contains(document.activeElement)
      stop()
      editor.current = mountEditor({
        parent: element,
        text,
        awareness: desk.room.awareness,
        language,
        stop: false,
        readOnly: !editable,
        assistant: code && editable ? assistantOf(desk, id) : null,
        ...(language === 'markdown' && { pictures: (files, view, at) => void attach(desk, id, files, view, at) }),
        ...(placeholder !== undefined && { placeholder }),
        leave,
        save: () => saySaved(desk),
        focused: (focused) => focused && desk.act({ do: 'focus', cell: id, editing: true }),
        beyond: (direction) => {
          const next = desk.neighbour(direction)
          if (next === null || !code) return false
          desk.goTo(next, desk.type(next) === 'code', direction > 0 ? 'start' : 'end')
          return true
        },
      })
      desk.edits(id, editor.current)
      if (hadFocus) editor.current.focus()
    }
    const unmount = () => {
      desk.edits(id, null)
      editor.current?.destroy()
      editor.current = null
      stop = still(element, text)
    }
    const leavePool = desk.pool.add(element, {
      mount,
      unmount,
      get held() {
        return editor.current?.hasFocus ?? false
      },
    })
    const pressed = (event: MouseEvent) => {
      if (editor.current || event.button !== 0) return
      const at = offsetAt(element, event)
      event.preventDefault()
      desk.pool.need(element)
      editor.current!.focus()
      editor.current!.dispatch({ selection: { anchor: Math.min(at, text.length) } })
    }
    const reached = () => {
      if (editor.current) return
      desk.pool.need(element)
      editor.current!.focus()
    }
    element.addEventListener('mousedown', pressed)
    element.addEventListener('focusin', reached)
    return () => {
      element.removeEventListener('mousedown', pressed)
      element.removeEventListener('focusin', reached)
      leavePool()
      stop()
      element.replaceChildren()
    }
  }, [desk, id, cell, language, code, editable, leave, placeholder])

  return <div className="source" ref={host} />
})

/** Bare text: cheap enough for a thousand cells, found by the browser's search, read by a screen reader. */
function still(element: HTMLElement, text: ReturnType<typeof textOf>): () => void {
  const pre = document.createElement('pre')
  pre.className = 'source-still'
  pre.tabIndex = settings.getState().accessibility.tabMovesFocus ? 0 : -1
  for (const [name, value] of [['role', 'textbox'], ['aria-label', t('Source')], ['aria-multiline', 'true']] as const) pre.setAttribute(name, value)
  const paint = () => {
    pre.replaceChildren(textWithMarks(`${text.toString()}\n`))
  }
  paint()
  element.replaceChildren(pre)
  text.observe(paint)
  return () => {
    text.unobserve(paint)
    pre.remove()
  }
}

/** Which character was pressed, in bare text. */
function offsetAt(element: HTMLElement, { clientX, clientY }: MouseEvent): number {
  const place = document.caretPositionFromPoint?.(clientX, clientY)
  if (!place || !element.contains(place.offsetNode)) return Infinity
  const before = document.createRange()
  before.setStart(element, 0)
  before.setEnd(place.offsetNode, place.offset)
  return before.toString().length
}
