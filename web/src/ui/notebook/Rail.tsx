/** The narrow rail at the left that opens panels. */
import { Keyboard, List } from 'lucide-react'
import { IconButton } from '../kit'
import { useChrome, useDesk } from './hooks'

export function Rail() {
  const desk = useDesk()
  const contents = useChrome((chrome) => chrome.contents)
  return (
    <nav className="nb-rail" aria-label="Panels">
      <IconButton label="Table of contents" icon={<List size={18} aria-hidden />} pressed={contents} onClick={() => desk.chrome.setState({ contents: !contents })} />
      <span className="grow" />
      <IconButton label="Keyboard shortcuts" icon={<Keyboard size={18} aria-hidden />} onClick={() => desk.open('shortcuts')} />
    </nav>
  )
}
