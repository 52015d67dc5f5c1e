/** What can be done with one cell, floating at its corner while it is focused or pointed at. */
import { ArrowDown, ArrowUp, Copy, EllipsisVertical, Link, MessageSquarePlus, Pencil, PencilOff, Trash2 } from 'lucide-react'
import type { CellType } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { Menu, type MenuEntry, notify } from '../kit'
import { useDesk, useMay, useView } from './hooks'

const size = { size: 16, 'aria-hidden': true } as const

export function CellToolbar({ id, type }: { id: CellId; type: CellType }) {
  const desk = useDesk()
  const editable = useMay('write')
  const mayRun = useMay('run')
  const mayComment = useMay('comment')
  const open = useView((view) => view.open.has(id))
  const here = (act: () => void) => () => {
    desk.act({ do: 'focus', cell: id, editing: false })
    act()
  }
  const more: MenuEntry[] = [
    ...(type === 'code' && mayRun
      ? ([
          { label: 'Run before', onSelect: here(() => desk.run(desk.outline.current().slice(0, desk.outline.current().indexOf(id)))) },
          { label: 'Run this and below', onSelect: here(() => desk.run(desk.outline.current().slice(desk.outline.current().indexOf(id)))) },
          { label: 'Clear output', onSelect: () => desk.session.clear([id]) },
          'separator',
        ] satisfies MenuEntry[])
      : []),
    { label: 'Copy cell', onSelect: here(() => desk.copy()) },
    ...(editable
      ? ([
          { label: 'Cut cell', onSelect: here(() => desk.cut()) },
          { label: 'Paste below', onSelect: here(() => desk.paste()), disabled: !desk.canPaste },
          'separator',
          { label: type === 'code' ? 'Make it a text cell' : 'Make it a code cell', onSelect: here(() => desk.convert(type === 'code' ? 'markdown' : 'code')) },
          { label: 'Merge with the cell below', onSelect: here(() => desk.merge()) },
          'separator',
          { label: 'History of this cell', onSelect: here(() => desk.look({ see: 'cell', cell: id })) },
        ] satisfies MenuEntry[])
      : []),
  ]
  return (
    <div className="cell-tools" role="toolbar" aria-label="Cell">
      {editable && (
        <>
          <Tool label="Move cell up" icon={<ArrowUp {...size} />} act={here(() => desk.move([id], -1))} />
          <Tool label="Move cell down" icon={<ArrowDown {...size} />} act={here(() => desk.move([id], 1))} />
        </>
      )}
      {editable && type === 'markdown' && (
        <Tool
          label={open ? 'Close editor' : 'Edit text'}
          icon={open ? <PencilOff {...size} /> : <Pencil {...size} />}
          act={() => (open ? (desk.act({ do: 'close', cell: id }), desk.goTo(id)) : desk.goTo(id, true))}
        />
      )}
      {mayComment && <Tool label="Comment on cell" icon={<MessageSquarePlus {...size} />} act={() => desk.comment(id)} />}
      <Tool label="Copy link to cell" icon={<Link {...size} />} act={() => void copyLink(id)} />
      {editable && (
        <>
          <Tool label="Duplicate cell" icon={<Copy {...size} />} act={here(() => desk.duplicate([id]))} />
          <Tool label="Delete cell" icon={<Trash2 {...size} />} act={here(() => desk.remove([id]))} />
        </>
      )}
      <Menu
        align="end"
        items={more}
        trigger={
          <button type="button" className="cell-tool" aria-label="More cell actions" title="More">
            <EllipsisVertical {...size} />
          </button>
        }
      />
    </div>
  )
}

function Tool({ label, icon, act }: { label: string; icon: React.ReactNode; act: () => void }) {
  return (
    <button type="button" className="cell-tool" aria-label={label} title={label} onMouseDown={(event) => event.preventDefault()} onClick={act}>
      {icon}
    </button>
  )
}

async function copyLink(id: CellId): Promise<void> {
  const link = `${location.origin}${location.pathname}#scrollTo=${id}`
  try {
    await navigator.clipboard.writeText(link)
    notify({ title: 'Link to the cell copied', kind: 'good' })
  } catch {
    // Without https a page may not write the clipboard; the address bar then holds the link.
    history.replaceState(null, '', link)
    notify({ title: 'The link to the cell is in the address bar now', detail: 'Copy it from there: this browser gives the clipboard only to https pages.' })
  }
}
