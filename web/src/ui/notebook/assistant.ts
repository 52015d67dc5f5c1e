/** The kernel as the editor's assistant. */
import type { Assistant } from '../../editor/assist'
import { joined, type MimeValue } from '../../model/wire'
import type { Session } from '../../session/session'

const assistants = new WeakMap<Session, Assistant>()

export function assistantOf(session: Session): Assistant {
  const made = assistants.get(session) ?? {
    complete: async (code, cursor) => (awake(session) ? session.complete(code, cursor) : null),
    inspect: async (code, cursor) => {
      const data = awake(session) ? await session.inspect(code, cursor, 0) : null
      return data ? plain(data['text/plain']) : null
    },
  }
  assistants.set(session, made)
  return made
}

/** A busy kernel answers only when it is done, which is too late for a tooltip. */
function awake(session: Session): boolean {
  return session.state.getState().kernel?.state === 'idle'
}

function plain(value: MimeValue | undefined): string | null {
  if (typeof value !== 'string' && !Array.isArray(value)) return null
  return joined(value as string | string[]).replace(/\u001b\[[\d;]*m/g, '')
}
