/** The bar over the cells: the commands that have a button there, and the runtime. */
import { ChevronDown } from 'lucide-react'
import { t } from '../../i18n'
import { useSetting } from '../../settings/store'
import { keyShown } from '../commands/keys'
import { menuOf } from '../commands/menus'
import { type Command, usable } from '../commands/model'
import { COMMANDS } from '../commands/table'
import { classes, Menu, type MenuEntry } from '../kit'
import type { Desk } from './desk'
import { useChrome, useDesk, useMay, useRoom } from './hooks'
import { ProblemCount } from './ProblemCount'
import { RuntimePill } from './RuntimePill'

const TOOLS = COMMANDS.filter(({ tool }) => tool !== undefined)
const of = (menu: Command['menu']) => TOOLS.filter((command) => command.menu === menu)

export function Toolbar() {
  const desk = useDesk()
  const editable = useMay('write')
  const mayRun = useMay('run')
  const mayComment = useMay('comment')
  const joined = useRoom((state) => state.role !== null)
  const header = useChrome((chrome) => chrome.header)
  return (
    <div className="nb-toolbar" role="toolbar" aria-label={t('Notebook tools')}>
      {of('Tools').map((command) => (
        <Tool key={command.id} command={command} className="tool-commands" shrinks />
      ))}
      {joined && !editable && <span className="tool-note">{mayRun ? t('You may run this notebook') : mayComment ? t('You may comment') : t('View only')}</span>}
      {editable && (
        <>
          <span className="tool-gap" />
          {of('Insert').map((command) => (
            <Tool key={command.id} command={command} />
          ))}
          <span className="tool-gap" />
        </>
      )}
      {mayRun && (
        <span className="tool-pair">
          {of('Runtime').map((command) => (
            <Tool key={command.id} command={command} shrinks />
          ))}
          <Menu
            trigger={
              <button type="button" className="tool tool-more" aria-label={t('More ways to run')}>
                <ChevronDown size={14} aria-hidden />
              </button>
            }
            items={() => ways(desk)}
          />
        </span>
      )}
      <ProblemCount />
      <RuntimePill />
      {!header && (
        <button type="button" className="tool tool-more" aria-label={t('Show the header')} onClick={() => desk.chrome.setState({ header: true })}>
          <ChevronDown size={14} aria-hidden />
        </button>
      )}
    </div>
  )
}

/** The Runtime menu as far as it is about running. */
function ways(desk: Desk): readonly MenuEntry[] {
  const all = menuOf(desk, 'Runtime')
  const ends = all.flatMap((entry, at) => (entry === 'separator' ? [at] : []))
  return all.slice(0, ends[1])
}

function Tool({ command, className, shrinks = false }: { command: Command; className?: string; shrinks?: boolean }) {
  const desk = useDesk()
  const { label, text, icon: Icon } = command.tool!
  // Whose keys may change while it is shown.
  useSetting((all) => all.keys)
  const keys = keyShown(command)
  return (
    <button
      type="button"
      className={classes('tool', className)}
      aria-label={t(label)}
      title={keys === undefined ? t(label) : `${t(label)} (${keys})`}
      onClick={() => usable(command, desk) && command.run(desk)}
    >
      <Icon size={16} aria-hidden /> <span className={classes(shrinks && 'tool-text')}>{t(text)}</span>
    </button>
  )
}
