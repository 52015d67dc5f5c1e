/** A text cell: rendered, and while it is edited, source and preview side by side. */
import { type ReactNode, type Ref, useCallback, useDeferredValue, useMemo, useRef, useSyncExternalStore } from 'react'
import * as Y from 'yjs'
import { t } from '../../i18n'
import { Markdown } from '../../outputs/Markdown'
import { CELL_OPERATION, type CellMap, cellOf, textOf } from '../../model/notebook'
import type { CellId, MimeBundle } from '../../model/wire'
import { classes, later } from '../kit'
import { Contained } from './Contained'
import type { Desk } from './desk'
import { useDesk, useEditable, useText, useView } from './hooks'
import { usePreview } from './preview'
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
          <TextTools id={id} />
          <Halves>
            <Source id={id} cell={cell} language="markdown" leave={leave} placeholder={t('Text, in Markdown')} ref={source} />
            <Rendered id={id} cell={cell} />
          </Halves>
        </div>
      </div>
    )
  }
  return (
    <div className="cell-row">
      <div className="cell-gutter" />
      <div className="cell-body text-shown" onDoubleClick={editable ? ({ target }) => (target as Element).closest('input, summary, a') === null && desk.goTo(id, true) : undefined}>
        <Rendered id={id} cell={cell} />
      </div>
    </div>
  )
}

/** What is written, and its preview beside it, below it, or not at all. */
function Halves({ children: [source, preview] }: { children: readonly [ReactNode, ReactNode] }) {
  const where = usePreview()
  return (
    <div className={classes('text-halves', `text-halves-${where}`)}>
      {source}
      {where !== 'none' && (
        <div className="text-preview" aria-label={t('Preview')} role="group">
          {preview}
        </div>
      )}
    </div>
  )
}

function Rendered({ id, cell }: { id: CellId; cell: CellMap }) {
  const desk = useDesk()
  const text = useDeferredValue(useText(textOf(cell)))
  const attachments = useAttachments(cell)
  const editable = useEditable(cell)
  const of = useMemo(() => ({ notebook: desk.id, cell: id }), [desk, id])
  if (text.trim() === '') return <p className="text-empty">{editable ? t('Empty text. Double-click or press Enter to write.') : t('Empty text.')}</p>
  return (
    <Contained of={text} what={t('This text')}>
      <Markdown source={text} of={of} {...(attachments && { attachments })} {...(editable && { onTask: (place: number) => tick(desk, id, place) })} />
    </Contained>
  )
}

/** A task that was open is done, and the other way round; whatever else is written is left alone. */
function tick(desk: Desk, id: CellId, place: number): void {
  const { doc } = desk.room
  const cell = cellOf(doc, id)
  if (!cell) return
  const text = textOf(cell)
  const mark = /^\[([ xX])\]$/.exec(text.toString().slice(place - 1, place + 2))?.[1]
  // Somebody has just written something else there.
  if (mark === undefined) return
  doc.transact(() => {
    text.delete(place, 1)
    text.insert(place, mark === ' ' ? 'x' : ' ')
  }, CELL_OPERATION)
}

type Attachments = Readonly<Record<string, MimeBundle>>

function useAttachments(cell: CellMap): Attachments | undefined {
  const seen = useRef<{ readonly now: Attachments | undefined } | null>(null)
  const kept = cell.get('att')
  const map = kept instanceof Y.Map ? kept : undefined
  const subscribe = useCallback(
    (notify: () => void) => {
      const changed = () => {
        seen.current = null
        notify()
      }
      map?.observe(changed)
      return () => map?.unobserve(changed)
    },
    [map],
  )
  return useSyncExternalStore(subscribe, () => (seen.current ??= { now: map && map.size > 0 ? (map.toJSON() as Attachments) : undefined }).now)
}
