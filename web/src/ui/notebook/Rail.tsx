/** The narrow rail at the left that opens panels. */
import { Keyboard, SquareTerminal } from 'lucide-react'
import { t } from '../../i18n'
import { IconButton } from '../kit'
import { useChrome, useDesk, useRoom } from './hooks'
import { SIDES } from './sides'

export function Rail() {
  const desk = useDesk()
  const shown = useChrome((chrome) => chrome.side)
  const terminal = useChrome((chrome) => chrome.terminal)
  const may = useRoom((state) => state.may)
  return (
    <nav className="nb-rail" aria-label={t('Panels')}>
      {SIDES.filter(({ needs }) => needs === undefined || may.has(needs)).map(({ id, name, icon: Icon }) => (
        <IconButton key={id} label={t(name)} icon={<Icon size={18} aria-hidden />} pressed={shown === id} onClick={() => desk.toggleSide(id)} />
      ))}
      <span className="grow" />
      {may.has('run') && <IconButton label={t('Terminal')} icon={<SquareTerminal size={18} aria-hidden />} pressed={terminal} onClick={() => desk.chrome.setState({ terminal: !terminal })} />}
      <IconButton label={t('Keyboard shortcuts')} icon={<Keyboard size={18} aria-hidden />} onClick={() => desk.open('shortcuts')} />
    </nav>
  )
}
