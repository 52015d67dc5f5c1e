/** What can be done with one cell, floating at its corner while it is focused or pointed at. */
import { ArrowDown, ArrowUp, Copy, EllipsisVertical, Link, MessageSquarePlus, Pencil, PencilOff, Trash2 } from 'lucide-react'
import { type KeyboardEvent, useLayoutEffect, useRef } from 'react'
import { t } from '../../i18n'
import type { CellMap, CellType } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { cellMenu } from '../commands/menus'
import { Menu } from '../kit'
import * as arranging from './arranging'
import type { Desk } from './desk'
import { movedWith } from './drop'
import { useDesk, useEditable, useMay, useView } from './hooks'
import { copyLink } from './links'

const size = { size: 16, 'aria-hidden': true } as const

export function CellToolbar({ id, cell, type }: { id: CellId; cell: CellMap; type: CellType }) {
  const desk = useDesk()
  const writes = useMay('write')
  const editable = useEditable(cell)
  const mayComment = useMay('comment')
  const open = useView((view) => view.open.has(id))
  const bar = useRef<HTMLDivElement>(null)
  const buttons = () => [...(bar.current?.querySelectorAll<HTMLElement>('.cell-tool') ?? [])]
  /** Of all of them Tab comes to one. */
  const stop = (here: HTMLElement) => buttons().forEach((button) => (button.tabIndex = button === here ? 0 : -1))
  useLayoutEffect(() => {
    const all = buttons()
    if (!all.some((button) => button.tabIndex === 0) || all.every((button) => button.tabIndex === 0)) stop(all[0]!)
  })
  const walk = (event: KeyboardEvent) => {
    const all = buttons()
    const at = all.indexOf(event.target as HTMLElement)
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key]
    if (at < 0 || to === undefined) return
    event.preventDefault()
    all.at(to % all.length)?.focus()
  }
  const here = (act: (ids: readonly CellId[]) => void) => () => {
    focus(desk, id)
    act(movedWith(desk, id))
  }
  return (
    <div className="cell-tools" role="toolbar" aria-label={t('Cell')} ref={bar} onKeyDown={walk} onFocus={({ target }) => stop(target)}>
      {writes && (
        <>
          <Tool label={t('Move cell up')} icon={<ArrowUp {...size} />} act={here((ids) => arranging.move(desk, ids, -1))} />
          <Tool label={t('Move cell down')} icon={<ArrowDown {...size} />} act={here((ids) => arranging.move(desk, ids, 1))} />
        </>
      )}
      {editable && type === 'markdown' && (
        <Tool
          label={open ? t('Close editor') : t('Edit text')}
          icon={open ? <PencilOff {...size} /> : <Pencil {...size} />}
          act={() => (open ? (desk.act({ do: 'close', cell: id }), desk.goTo(id)) : desk.goTo(id, true))}
        />
      )}
      {mayComment && <Tool label={t('Comment on cell')} icon={<MessageSquarePlus {...size} />} act={() => desk.comment(id)} />}
      <Tool label={t('Copy link to cell')} icon={<Link {...size} />} act={() => void copyLink(id)} />
      {writes && (
        <>
          <Tool label={t('Duplicate cell')} icon={<Copy {...size} />} act={here((ids) => arranging.duplicate(desk, ids))} />
          <Tool label={t('Delete cell')} icon={<Trash2 {...size} />} act={here((ids) => arranging.remove(desk, ids))} />
        </>
      )}
      <Menu
        align="end"
        items={() => cellMenu(desk, type)}
        onOpen={() => focus(desk, id)}
        trigger={
          <button type="button" className="cell-tool" aria-label={t('More cell actions')} title={t('More')}>
            <EllipsisVertical {...size} />
          </button>
        }
      />
    </div>
  )
}

/** Here is what is done next; a selection that this cell belongs to stays. */
function focus(desk: Desk, id: CellId): void {
  if (!desk.selected.includes(id)) desk.act({ do: 'focus', cell: id, editing: false })
}

function Tool({ label, icon, act }: { label: string; icon: React.ReactNode; act: () => void }) {
  return (
    <button type="button" className="cell-tool" aria-label={label} title={label} onMouseDown={(event) => event.preventDefault()} onClick={act}>
      {icon}
    </button>
  )
}
