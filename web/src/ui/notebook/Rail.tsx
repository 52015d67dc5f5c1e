/** The narrow rail at the left that opens panels. */
import { FolderOpen, Keyboard, List, SquareTerminal } from 'lucide-react'
import { IconButton } from '../kit'
import { useChrome, useDesk, useMay } from './hooks'

export function Rail() {
  const desk = useDesk()
  const side = useChrome((chrome) => chrome.side)
  const terminal = useChrome((chrome) => chrome.terminal)
  const mayRun = useMay('run')
  const toggle = (panel: 'contents' | 'files') => desk.chrome.setState({ side: side === panel ? null : panel })
  return (
    <nav className="nb-rail" aria-label="Panels">
      <IconButton label="Table of contents" icon={<List size={18} aria-hidden />} pressed={side === 'contents'} onClick={() => toggle('contents')} />
      {mayRun && <IconButton label="Files" icon={<FolderOpen size={18} aria-hidden />} pressed={side === 'files'} onClick={() => toggle('files')} />}
      <span className="grow" />
      {mayRun && <IconButton label="Terminal" icon={<SquareTerminal size={18} aria-hidden />} pressed={terminal} onClick={() => desk.chrome.setState({ terminal: !terminal })} />}
      <IconButton label="Keyboard shortcuts" icon={<Keyboard size={18} aria-hidden />} onClick={() => desk.open('shortcuts')} />
    </nav>
  )
}
