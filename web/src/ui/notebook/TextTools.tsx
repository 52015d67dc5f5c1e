/** Buttons that write Markdown for those who do not know it by heart. */
import { EditorView } from '@codemirror/view'
import { Bold, Code, Heading, Image, Italic, Link, List, ListOrdered, Minus, Sigma, TextQuote } from 'lucide-react'
import type { ReactNode } from 'react'

interface Tool {
  readonly label: string
  readonly icon: ReactNode
  readonly apply: (view: EditorView) => void
}

const size = { size: 16, 'aria-hidden': true } as const

const TOOLS: readonly Tool[] = [
  { label: 'Heading', icon: <Heading {...size} />, apply: heading },
  { label: 'Bold', icon: <Bold {...size} />, apply: (view) => around(view, '**', '**', 'bold') },
  { label: 'Italic', icon: <Italic {...size} />, apply: (view) => around(view, '*', '*', 'italic') },
  { label: 'Code', icon: <Code {...size} />, apply: (view) => around(view, '`', '`', 'code') },
  { label: 'Link', icon: <Link {...size} />, apply: (view) => around(view, '[', '](https://)', 'link') },
  { label: 'Image', icon: <Image {...size} />, apply: (view) => around(view, '![', '](https://)', 'picture') },
  { label: 'Quote', icon: <TextQuote {...size} />, apply: (view) => lines(view, () => '> ') },
  { label: 'Numbered list', icon: <ListOrdered {...size} />, apply: (view) => lines(view, (at) => `${at + 1}. `) },
  { label: 'List', icon: <List {...size} />, apply: (view) => lines(view, () => '- ') },
  { label: 'Formula', icon: <Sigma {...size} />, apply: (view) => around(view, '$', '$', '\\sqrt{n}') },
  { label: 'Line', icon: <Minus {...size} />, apply: (view) => around(view, '\n\n---\n\n', '', '') },
]

export default function TextTools() {
  return (
    <div className="text-tools" role="toolbar" aria-label="Formatting">
      {TOOLS.map(({ label, icon, apply }) => (
        <button
          key={label}
          type="button"
          className="text-tool"
          aria-label={label}
          title={label}
          onMouseDown={(event) => event.preventDefault()}
          onClick={(event) => {
            const content = event.currentTarget.closest('.text-open')?.querySelector<HTMLElement>('.cm-content')
            const view = content && EditorView.findFromDOM(content)
            if (!view) return
            apply(view)
            view.focus()
          }}
        >
          {icon}
        </button>
      ))}
    </div>
  )
}

function around(view: EditorView, before: string, after: string, sample: string): void {
  const { from, to } = view.state.selection.main
  const inner = view.state.sliceDoc(from, to) || sample
  view.dispatch({
    changes: { from, to, insert: before + inner + after },
    selection: { anchor: from + before.length, head: from + before.length + inner.length },
    userEvent: 'input.format',
  })
}

function lines(view: EditorView, prefix: (at: number) => string): void {
  const { doc, selection } = view.state
  const first = doc.lineAt(selection.main.from).number
  const last = doc.lineAt(selection.main.to).number
  const changes = Array.from({ length: last - first + 1 }, (_, at) => ({ from: doc.line(first + at).from, insert: prefix(at) }))
  view.dispatch({ changes, userEvent: 'input.format' })
}

function heading(view: EditorView): void {
  const line = view.state.doc.lineAt(view.state.selection.main.head)
  const marks = /^(#*) ?/.exec(line.text)!
  const level = marks[1]!.length % 4
  view.dispatch({ changes: { from: line.from, to: line.from + marks[0].length, insert: level === 3 ? '' : `${'#'.repeat(level + 1)} ` }, userEvent: 'input.format' })
}
