/** A cell's outputs with what can be done with them: a menu at their corner, and the whole screen. */
import { Check, Copy, EllipsisVertical } from 'lucide-react'
import { type ReactNode, useCallback, useContext, useState, useSyncExternalStore } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { metadataOf } from '../../model/facts'
import { type CellMap, cellOf, textOf } from '../../model/notebook'
import { scrolledOf } from '../../model/scrolled'
import type { CellId } from '../../model/wire'
import { CellOutputs } from '../../outputs/CellOutputs'
import { OpenTableContext } from '../../outputs/OpenTable'
import type { CodePlace } from '../../outputs/traceback'
import type { CellRun } from '../../session/session'
import { keyShown } from '../commands/keys'
import { type Command, usable } from '../commands/model'
import { OUTPUTS } from '../commands/outputs'
import { COMMANDS } from '../commands/table'
import { later, Menu, type MenuEntry, notify, notifyError } from '../kit'
import { insert } from './arranging'
import { Contained } from './Contained'
import type { Desk } from './desk'
import { NearContext, useCellMap, useDesk, useMay, useSession } from './hooks'
import { outputLook } from './outputView'

const FullOutput = later(() => import('./FullOutput'))
const WHOLE = ['toggle-output', 'clear-cells']

export function OutputArea({ id, run, waiting }: { id: CellId; run: CellRun; waiting?: ReactNode }) {
  const desk = useDesk()
  const cell = useCellMap(id)
  const look = outputLook(desk)
  const full = useStore(look, (now) => now.full === id)
  const wrap = useStore(look, (now) => !now.unwrapped.has(id))
  const scrolled = useMetadata(cell, scrolledOf)
  const expected = useMetadata(cell, heightOf)
  const onPlace = useCallback((place: CodePlace) => goTo(desk, place), [desk])
  const onInstall = useCallback((name: string) => addInstall(desk, id, name), [desk, id])
  const mayWrite = useMay('write')
  const { execution, outputs, live, madeBy } = run
  const may = useMay('run')
  const kernel = useSession((session) => session.kernel !== null && session.runtime?.state === 'ready')
  const tables = may && kernel && execution.saved !== true
  const shared = {
    notebook: desk.id, cell: id, execution: { ...execution, execution: madeBy }, outputs, live, onPlace, onInstall: mayWrite ? onInstall : undefined,
    onInput: (value: string) => desk.session.answer(execution.execution, value),
  }
  return (
    <OpenTableContext value={tables ? (ref) => desk.openTable({ ref }) : null}>
      <CellOutputs {...shared} view={{ scrolled, wrap }} expected={expected} tools={<Tools id={id} />} waiting={waiting} />
      {full && (
        <Contained of={outputs} what={t('Output')}>
          <FullOutput {...shared} view={{ scrolled: false, wrap }} onClose={() => look.setState({ full: null })} />
        </Contained>
      )}
    </OpenTableContext>
  )
}

/** How tall the outputs were where the file was last shown: Colab writes it down. */
function heightOf(metadata: ReturnType<typeof metadataOf>): number | undefined {
  const height = (metadata?.get('colab') as { height?: unknown } | null | undefined)?.height
  return typeof height === 'number' && height > 0 && height <= 3000 ? height : undefined
}

function useMetadata<T extends boolean | number | undefined>(cell: CellMap | undefined, read: (metadata: ReturnType<typeof metadataOf>) => T): T {
  const metadata = cell && metadataOf(cell)
  const subscribe = useCallback(
    (notify: () => void) => {
      metadata?.observe(notify)
      return () => metadata?.unobserve(notify)
    },
    [metadata],
  )
  return useSyncExternalStore(subscribe, () => read(metadata))
}

/** Without a pointer that hovers they are always seen (outputs.css). */
const touched = typeof matchMedia === 'function' ? matchMedia('(hover: none)') : null

/** Buttons that are reached by keys in every cell; their pictures come when they are seen. */
function Tools({ id }: { id: CellId }) {
  const desk = useDesk()
  const near = useContext(NearContext) || touched?.matches === true
  const [done, setDone] = useState(false)
  const focus = () => desk.act({ do: 'focus', cell: id, editing: false })
  const copy = () => {
    void import('../../outputs/saving')
      .then(({ copyText }) => copyText(desk.session.run(id)?.outputs ?? []))
      .then(() => {
        setDone(true)
        setTimeout(() => setDone(false), 1500)
      }, (error: unknown) => notifyError(t('The output could not be copied'), error))
  }
  return (
    <div className="output-tools">
      <button type="button" aria-label={done ? t('Copied') : t('Copy output')} title={t('Copy output')} onClick={copy}>
        {near && (done ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />)}
      </button>
      <Menu
        align="end"
        items={() => entries(desk, focus)}
        trigger={
          <button type="button" aria-label={t('Output actions')} title={t('Output actions')} onPointerDown={focus}>
            {near && <EllipsisVertical size={15} aria-hidden />}
          </button>
        }
      />
    </div>
  )
}

function entries(desk: Desk, focus: () => void): MenuEntry[] {
  const entry = (command: Command): MenuEntry => ({
    label: t(command.name),
    shortcut: keyShown(command),
    ...(command.checked && { checked: command.checked(desk) }),
    onSelect: () => {
      focus()
      if (usable(command, desk)) command.run(desk)
    },
  })
  const fitting = (commands: readonly Command[]) => commands.filter((command) => usable(command, desk)).map(entry)
  const saved = fitting(OUTPUTS.filter(({ under }) => under !== undefined))
  return [
    ...fitting(WHOLE.flatMap((id) => COMMANDS.filter((one) => one.id === id))),
    'separator',
    ...fitting(OUTPUTS.filter(({ under, menu }) => under === undefined && menu === 'View')),
    'separator',
    ...fitting(OUTPUTS.filter(({ under, menu }) => under === undefined && menu === 'Edit')),
    ...(saved.length > 0 ? [{ label: t('Save output as'), items: saved }] : []),
  ]
}

/** Above the cell that needs it, so that the notebook also runs from its top to its end the next time. It is theirs to run. */
function addInstall(desk: Desk, cell: CellId, name: string): void {
  const order = desk.outline.current()
  const before = order[order.indexOf(cell) - 1] ?? null
  const source = `%pip install ${name}`
  const there = before === null ? undefined : cellOf(desk.room.doc, before)
  if (before !== null && there && textOf(there).toString().trim() === source) desk.goTo(before, true)
  else insert(desk, 'code', before, source)
}

/** A frame of a traceback was pressed. */
function goTo(desk: Desk, place: CodePlace): void {
  if (place.kind === 'file') {
    if (!desk.may('run')) return
    desk.chrome.setState({ file: place.path })
    return
  }
  // The newest cell of that number: after a restart, numbers begin anew.
  const cells = desk.outline.current().filter((id) => desk.session.run(id)?.execution.count === place.count)
  const found = cells.toSorted((a, b) => startedAt(desk, a) - startedAt(desk, b)).at(-1)
  if (found === undefined) return notify({ title: t('The cell that was In [{count}] is not here any more', { count: place.count }) })
  desk.goTo(found, true, 'start')
  toLine(desk, found, place.line)
}

const startedAt = (desk: Desk, cell: CellId): number => desk.session.run(cell)?.execution.started_at ?? 0

/** The editor may come a moment after the cell was asked for. */
function toLine(desk: Desk, cell: CellId, line: number): void {
  const go = (): boolean => {
    const editor = desk.editors.getState().get(cell)
    if (!editor) return false
    const { doc } = editor.state
    const { from } = doc.line(Math.max(1, Math.min(line, doc.lines)))
    editor.dispatch({ selection: { anchor: from }, scrollIntoView: true })
    editor.focus()
    return true
  }
  if (go()) return
  const stop = desk.editors.subscribe(() => {
    if (go()) stop()
  })
  setTimeout(stop, 5000)
}
