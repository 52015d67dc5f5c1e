/** Where the person is signed in, each with a way to end it. */
import { MonitorSmartphone } from 'lucide-react'
import { t } from '../../i18n'
import { brief } from '../../i18n/formats'
import { api } from '../../api/client'
import type { Login } from '../../api/types'
import { Button, notifyError, Spinner } from '../../ui/kit'
import { agentWords } from './agent'
import { Section } from './Section'

export function Logins({ logins, reload }: { logins: readonly Login[] | undefined; reload: () => Promise<void> }) {
  const end = (login: Login) => void api.endLogin(login.id).then(reload, (error: unknown) => notifyError(t('It could not be ended'), error))
  return (
    <Section title={t('Where you are signed in')} lead={t('Ending one closes its open notebooks within seconds. Nothing written there is lost.')}>
      {logins === undefined && <Spinner label={t('Loading')} />}
      <ul className="account-list">
        {logins?.map((login) => (
          <li key={login.id}>
            <MonitorSmartphone size={20} aria-hidden />
            <div className="account-words">
              <strong>{agentWords(login.agent)}</strong>
              <span>
                {login.current ? t('This browser') : t('Last seen {when}', { when: brief(login.seen_at, Date.now()) })}
                {login.address && ` · ${login.address}`}
              </span>
            </div>
            {!login.current && (
              <Button small onClick={() => end(login)} aria-label={t('Sign out {agentWords}', { agentWords: agentWords(login.agent) })}>
                {t('Sign out')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}
