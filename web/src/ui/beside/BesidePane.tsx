/** Beside the cells: live second views of some of them, and the scratch cell. */
import { CornerUpLeft, Play, Square, X } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react'
import type * as Y from 'yjs'
import { useStore } from 'zustand'
import { mountEditor } from '../../editor/editor'
import { t } from '../../i18n'
import { type CellMap, textOf, typeOf } from '../../model/notebook'
import type { CellId, Execution, MimeBundle } from '../../model/wire'
import { CellOutputs } from '../../outputs/CellOutputs'
import { Markdown } from '../../outputs/Markdown'
import { Button, IconButton } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import { assistantOf } from '../notebook/assistant'
import { Contained } from '../notebook/Contained'
import { useCellMap, useChrome, useDesk, useEditable, useLanguage, useMay, useOrder, useRun, useText } from '../notebook/hooks'
import { grammarOf } from '../notebook/languages'
import { RunButton } from '../notebook/RunButton'
import { saySaved } from '../notebook/saved'
import './beside.css'
import { scratchOf } from './scratch'

const WIDTH_MIN = 280
const CELLS_MIN = 448
const NARROW = 900

export default function BesidePane() {
  const desk = useDesk()
  const { mirrors, scratch } = useChrome((chrome) => chrome.beside)
  const order = useOrder()
  const [width, setWidth] = useKeptSize('beside', 0)
  const window_ = useWindowSize()
  const present = mirrors.filter((id) => order.includes(id))
  if (present.length === 0 && !scratch) return null
  const wide = window_.width > NARROW
  const most = Math.max(WIDTH_MIN, window_.width - CELLS_MIN)
  const size = width === 0 ? Math.round(window_.width * 0.38) : width
  return (
    <section className="beside" aria-label={t('Beside the cells')} style={wide ? { width: Math.min(size, most) } : undefined}>
      {wide && <Splitter label={t('Width of what stands beside the cells')} edge="left" size={size} min={WIDTH_MIN} max={most} onSize={setWidth} />}
      <div className="beside-all">
        {scratch && <ScratchCell />}
        {present.map((id) => (
          <Mirror key={id} id={id} number={order.indexOf(id) + 1} onClose={() => desk.beside({ mirrors: mirrors.filter((other) => other !== id) })} />
        ))}
      </div>
    </section>
  )
}

function Part({ title, tools, onClose, children }: { title: string; tools?: ReactNode; onClose: () => void; children: ReactNode }) {
  return (
    <section className="beside-part" aria-label={title}>
      <div className="beside-head">
        <h2>{title}</h2>
        {tools}
        <IconButton label={t('Close')} icon={<X size={16} aria-hidden />} onClick={onClose} />
      </div>
      {children}
    </section>
  )
}

function Mirror({ id, number, onClose }: { id: CellId; number: number; onClose: () => void }) {
  const desk = useDesk()
  const cell = useCellMap(id)
  if (!cell) return null
  return (
    <Part title={t('Cell {number}', { number })} onClose={onClose} tools={<IconButton label={t('Go to this cell')} icon={<CornerUpLeft size={16} aria-hidden />} onClick={() => desk.goTo(id)} />}>
      <Contained of={id} what={t('The cell')}>{typeOf(cell) === 'code' ? <CodeMirrored id={id} cell={cell} /> : <TextMirrored cell={cell} />}</Contained>
    </Part>
  )
}

function CodeMirrored({ id, cell }: { id: CellId; cell: CellMap }) {
  const desk = useDesk()
  const run = useRun(id)
  const editable = useEditable(cell)
  const grammar = grammarOf(useLanguage())
  const host = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const editor = mountEditor({
      parent: host.current!,
      text: textOf(cell),
      awareness: desk.room.awareness,
      language: grammar,
      readOnly: !editable,
      assistant: editable ? assistantOf(desk, id) : null,
      // Escape and then Tab leaves it, as in every editor: what comes after it would else be out of reach.
      leave: () => undefined,
      save: () => saySaved(desk),
      focused: (focused) => focused && desk.act({ do: 'focus', cell: id, editing: true }),
      beyond: () => false,
    })
    return () => editor.destroy()
  }, [desk, id, cell, grammar, editable])
  return (
    <div className="beside-row">
      <div className="cell-gutter">
        <RunButton id={id} cell={cell} />
      </div>
      <div className="beside-body">
        <div className="source" ref={host} />
        {run && (
          <CellOutputs
            notebook={desk.id}
            cell={id}
            execution={{ ...run.execution, execution: run.madeBy }}
            outputs={run.outputs}
            live={run.live}
            onInput={(value) => desk.session.answer(run.execution.execution, value)}
          />
        )}
      </div>
    </div>
  )
}

function TextMirrored({ cell }: { cell: CellMap }) {
  const text = useText(textOf(cell))
  const attachments = (cell.get('att') as { toJSON(): Record<string, MimeBundle> } | undefined)?.toJSON()
  return (
    <div className="beside-text">
      <Markdown source={text} {...(attachments && Object.keys(attachments).length > 0 && { attachments })} />
    </div>
  )
}

function ScratchCell() {
  const desk = useDesk()
  const scratch = scratchOf(desk)
  const { run, state, outputs, asked, refused } = useStore(scratch.state)
  const writes = useMay('write')
  const grammar = grammarOf(useLanguage())
  const host = useRef<HTMLDivElement>(null)
  const busy = state === 'running' || state === 'connecting'
  useEffect(() => () => scratch.close(), [scratch])
  useScratchEditor(host, scratch.text, grammar)
  const execution: Execution = { execution: run ?? 'scratch', cell: 'scratch', state: busy ? 'running' : 'finished', user: null, count: null, queued_at: null, started_at: null, finished_at: null, input: asked }
  const key = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey || event.shiftKey)) return
    event.preventDefault()
    event.stopPropagation()
    if (!busy) void scratch.run()
  }
  return (
    <Part
      title={t('Scratch cell')}
      onClose={() => desk.beside({ scratch: false })}
      tools={
        writes && (
          <Button
            small
            onClick={() => {
              const source = scratch.text.toString()
              scratch.clear()
              desk.beside({ scratch: false })
              desk.insert('code', desk.view.getState().focused ?? desk.outline.current().at(-1) ?? null, source)
            }}
          >
            {t('Insert as cell')}
          </Button>
        )
      }
    >
      <div className="beside-row" data-keys="own" onKeyDownCapture={key}>
        <div className="cell-gutter">
          <button type="button" className={busy ? 'run run-running' : 'run'} aria-label={busy ? t('Stop the scratch cell') : t('Run the scratch cell')} onClick={() => (busy ? desk.session.command('interrupt') : void scratch.run())}>
            {busy ? <Square size={11} fill="currentColor" aria-hidden /> : <Play size={15} fill="currentColor" aria-hidden />}
          </button>
        </div>
        <div className="beside-body">
          <div className="beside-source" ref={host} />
          <Contained of={outputs} what={t('This output')}>
            <CellOutputs notebook={desk.id} cell="scratch" execution={execution} outputs={outputs} live onInput={(value) => scratch.answer(value)} />
          </Contained>
          {refused !== null && <p className="beside-refused" role="alert">{refused}</p>}
          <p className="beside-note">{t('Only you see this cell. It runs in the notebook’s kernel and is not kept.')}</p>
        </div>
      </div>
    </Part>
  )
}

function useScratchEditor(host: React.RefObject<HTMLDivElement | null>, text: Y.Text, grammar: ReturnType<typeof grammarOf>): void {
  const desk = useDesk()
  useLayoutEffect(() => {
    const editor = mountEditor({
      parent: host.current!, text, awareness: null, language: grammar, readOnly: false, assistant: null, name: t('Scratch source'),
      leave: () => undefined, focused: () => undefined, beyond: () => false,
    })
    editor.focus()
    return () => editor.destroy()
  }, [desk, host, text, grammar])
}
