/** The bar over the cells: commands, new cells, run all, and the runtime. */
import { ChevronDown, Play, Plus, Search } from 'lucide-react'
import { Menu } from '../kit'
import { useDesk, useMay, useRoom } from './hooks'
import { RuntimePill } from './RuntimePill'
import { usable } from '../commands/model'
import { COMMANDS } from '../commands/table'

const size = { size: 16, 'aria-hidden': true } as const

export function Toolbar() {
  const desk = useDesk()
  const editable = useMay('write')
  const mayRun = useMay('run')
  const mayComment = useMay('comment')
  const joined = useRoom((state) => state.role !== null)
  return (
    <div className="nb-toolbar" role="toolbar" aria-label="Notebook tools">
      <button type="button" className="tool tool-commands" aria-label="Commands" onClick={() => desk.open('palette')}>
        <Search {...size} /> <span className="tool-text">Commands</span>
      </button>
      {joined && !editable && <span className="tool-note">{mayRun ? 'You may run this notebook' : mayComment ? 'You may comment' : 'View only'}</span>}
      {editable && <span className="tool-gap" />}
      {editable && (
        <>
          <button type="button" className="tool" aria-label="Add code cell" onClick={() => desk.append('code')}>
            <Plus {...size} /> Code
          </button>
          <button type="button" className="tool" aria-label="Add text cell" onClick={() => desk.append('markdown')}>
            <Plus {...size} /> Text
          </button>
          <span className="tool-gap" />
        </>
      )}
      {mayRun && (
        <span className="tool-pair">
          <button type="button" className="tool" aria-label="Run all" onClick={() => desk.run(desk.outline.current())}>
            <Play {...size} /> <span className="tool-text">Run all</span>
          </button>
          <Menu
            trigger={
              <button type="button" className="tool tool-more" aria-label="More ways to run">
                <ChevronDown size={14} aria-hidden />
              </button>
            }
            items={COMMANDS.filter(({ menu, group }) => menu === 'Runtime' && group !== undefined && group <= 2).map((command) => ({
              label: command.name,
              onSelect: () => usable(command, desk) && command.run(desk),
            }))}
          />
        </span>
      )}
      <RuntimePill />
    </div>
  )
}
