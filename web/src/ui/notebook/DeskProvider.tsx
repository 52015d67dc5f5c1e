/** An open notebook for all that shows it, and what every cell of it asks. */
import { type ReactNode, useMemo } from 'react'
import { languageOf } from '../../model/runtimes'
import type { Desk } from './desk'
import { DeskContext, LanguageContext, MayContext, useMetadata, useRoom, useSession } from './hooks'

export function DeskProvider({ desk, children }: { desk: Desk; children: ReactNode }) {
  return (
    <DeskContext value={desk}>
      <Known>{children}</Known>
    </DeskContext>
  )
}

function Known({ children }: { children: ReactNode }) {
  // The server says the same again with each welcome; that is nothing new to a thousand cells.
  const said = useRoom(({ may }) => [...may].sort().join(' '))
  const may = useMemo(() => new Set(said.split(' ')), [said])
  const written = useMetadata(languageOf)
  const spoken = useSession((session) => session.kernel?.language?.toLowerCase())
  return (
    <MayContext value={may}>
      <LanguageContext value={spoken ?? written}>{children}</LanguageContext>
    </MayContext>
  )
}
