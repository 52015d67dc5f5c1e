/** A text cell: rendered, and while it is edited, source and preview side by side. */
import { type Ref, useDeferredValue } from 'react'
import { Markdown } from '../../outputs/Markdown'
import { type CellMap, textOf } from '../../model/notebook'
import type { CellId, MimeBundle } from '../../model/wire'
import { later } from '../kit'
import { Contained } from './Contained'
import { useDesk, useEditable, useText, useView } from './hooks'
import { Source, type SourceHandle } from './Source'

const TextTools = later(() => import('./TextTools'), <div className="text-tools" />)

interface TextCellProps {
  readonly id: CellId
  readonly cell: CellMap
  readonly raw: boolean
  readonly source: Ref<SourceHandle>
  readonly leave: () => void
}

export function TextCell({ id, cell, raw, source, leave }: TextCellProps) {
  const desk = useDesk()
  const open = useView((view) => view.open.has(id))
  const editable = useEditable(cell)
  if (raw) {
    return (
      <div className="cell-row">
        <div className="cell-gutter" />
        <div className="cell-body">
          <Source id={id} cell={cell} language="plain" leave={leave} ref={source} />
        </div>
      </div>
    )
  }
  if (open && editable) {
    return (
      <div className="cell-row">
        <div className="cell-gutter" />
        <div className="cell-body text-open">
          <TextTools />
          <div className="text-halves">
            <Source id={id} cell={cell} language="markdown" leave={leave} placeholder="Text, in Markdown" ref={source} />
            <div className="text-preview" aria-label="Preview" role="group">
              <Rendered cell={cell} />
            </div>
          </div>
        </div>
      </div>
    )
  }
  return (
    <div className="cell-row">
      <div className="cell-gutter" />
      <div className="cell-body text-shown" onDoubleClick={editable ? () => desk.goTo(id, true) : undefined}>
        <Rendered cell={cell} />
      </div>
    </div>
  )
}

function Rendered({ cell }: { cell: CellMap }) {
  const text = useDeferredValue(useText(textOf(cell)))
  const attachments = (cell.get('att') as { toJSON(): Record<string, MimeBundle> } | undefined)?.toJSON()
  if (text.trim() === '') return <p className="text-empty">Empty text. Double-click or press Enter to write.</p>
  return (
    <Contained of={text} what="This text">
      <Markdown source={text} {...(attachments && Object.keys(attachments).length > 0 && { attachments })} />
    </Contained>
  )
}
