/** The faces of those who are here; pressing one goes to the cell they are in. */
import { useCallback, useRef, useSyncExternalStore } from 'react'
import { t } from '../../i18n'
import { Avatar } from '../kit'
import { useDesk } from './hooks'

interface Present {
  readonly id: string
  readonly name: string
  readonly color: string
  readonly cell: string | null
}

const SHOWN_MAX = 4

export function Presence() {
  const desk = useDesk()
  const people = usePresent()
  const others = people.filter(({ id }) => id !== desk.me.id)
  if (others.length === 0) return null
  const rest = others.length - SHOWN_MAX
  return (
    <ul className="presence" aria-label={t('Here now')}>
      {others.slice(0, SHOWN_MAX).map((person) => (
        <li key={person.id}>
          <button type="button" className="presence-face" title={t('{name} is here', { name: person.name })} aria-label={t('Go to {name}', { name: person.name })} disabled={person.cell === null} onClick={() => person.cell !== null && desk.goTo(person.cell)}>
            <Avatar name={person.name} color={person.color} size={28} decorative />
          </button>
        </li>
      ))}
      {rest > 0 && <li className="presence-rest">+{rest}</li>}
    </ul>
  )
}

/** What other browsers say of themselves is a stranger's word: parsed, one face for each person. */
function usePresent(): readonly Present[] {
  const { awareness } = useDesk().room
  const seen = useRef<{ readonly key: string; readonly people: readonly Present[] }>({ key: '', people: [] })
  const subscribe = useCallback(
    (notify: () => void) => {
      awareness.on('change', notify)
      return () => awareness.off('change', notify)
    },
    [awareness],
  )
  return useSyncExternalStore(subscribe, () => {
    const found = new Map<string, Present>()
    for (const state of awareness.getStates().values()) {
      const { user, cell } = state as { user?: unknown; cell?: unknown }
      if (typeof user !== 'object' || user === null) continue
      const { id, name, color } = user as Record<string, unknown>
      if (typeof id !== 'string' || typeof name !== 'string' || typeof color !== 'string') continue
      found.set(id, { id, name: name.slice(0, 80), color, cell: typeof cell === 'string' ? cell : null })
    }
    const people = [...found.values()]
    const key = JSON.stringify(people)
    if (key !== seen.current.key) seen.current = { key, people }
    return seen.current.people
  })
}
