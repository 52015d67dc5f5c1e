/** Where the person is signed in, each with a way to end it. */
import { MonitorSmartphone } from 'lucide-react'
import { api } from '../../api/client'
import type { Login } from '../../api/types'
import { Button, notifyError, Spinner } from '../../ui/kit'
import { timeText } from '../drive/listing'
import { agentWords } from './agent'
import { Section } from './Section'

export function Logins({ logins, reload }: { logins: readonly Login[] | undefined; reload: () => Promise<void> }) {
  const end = (login: Login) => void api.endLogin(login.id).then(reload, (error: unknown) => notifyError('It could not be ended', error))
  return (
    <Section title="Where you are signed in" lead="Ending one closes its open notebooks within seconds. Nothing written there is lost.">
      {logins === undefined && <Spinner label="Loading" />}
      <ul className="account-list">
        {logins?.map((login) => (
          <li key={login.id}>
            <MonitorSmartphone size={20} aria-hidden />
            <div className="account-words">
              <strong>{agentWords(login.agent)}</strong>
              <span>
                {login.current ? 'This browser' : `Last seen ${timeText(login.seen_at, Date.now())}`}
                {login.address && ` · ${login.address}`}
              </span>
            </div>
            {!login.current && (
              <Button small onClick={() => end(login)} aria-label={`Sign out ${agentWords(login.agent)}`}>
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}
