/** A person's own account: password, logins, tokens, and how the page looks. */
import './account.css'
import { Monitor, Moon, Sun } from 'lucide-react'
import { useEffect } from 'react'
import { Link } from 'wouter'
import { msg, t } from '../../i18n'
import { api } from '../../api/client'
import { useMe } from '../../ui/account'
import { Avatar, classes, setTheme, type Theme, useTheme } from '../../ui/kit'
import { MailChoice } from '../../ui/notifications/MailChoice'
import { TopBar } from '../../ui/TopBar'
import { Groups } from './Groups'
import { Logins } from './Logins'
import { Password } from './Password'
import { Section } from './Section'
import { Tokens } from './Tokens'
import { useLoaded } from './useLoaded'

const THEMES: readonly { readonly theme: Theme; readonly label: string; readonly Icon: typeof Sun }[] = [
  { theme: 'light', label: msg('Light'), Icon: Sun },
  { theme: 'dark', label: msg('Dark'), Icon: Moon },
  { theme: 'system', label: msg('As the system'), Icon: Monitor },
]

function Appearance() {
  const chosen = useTheme()
  return (
    <Section title={t('Appearance')} lead={t('Kept in this browser.')}>
      <fieldset className="theme-choice">
        <legend className="visually-hidden">{t('Theme')}</legend>
        {THEMES.map(({ theme, label, Icon }) => (
          <label key={theme} className={classes('theme-option', theme === chosen && 'theme-option-on')}>
            <input type="radio" name="theme" className="visually-hidden" checked={theme === chosen} onChange={() => setTheme(theme)} />
            <Icon size={18} aria-hidden />
            {t(label)}
          </label>
        ))}
      </fieldset>
    </Section>
  )
}

export default function AccountPage() {
  const me = useMe()
  const [logins, reload] = useLoaded(api.logins, t('The logins could not be listed'))
  useEffect(() => {
    document.title = t('Account – Collegium')
  }, [])
  return (
    <div className="account">
      <TopBar />
      <main className="account-main">
        <div className="account-head">
          <Avatar name={me.name} color={me.color} size={64} decorative />
          <div>
            <h1>{me.name}</h1>
            <p>
              {me.email}
              {me.admin && t(' · Administrator')}
            </p>
          </div>
          <Link href="/" className="button button-soft">
            {t('To your drive')}
          </Link>
        </div>
        <Appearance />
        <Section title={t('Notifications')} lead={t('What the bell tells you can come by mail as well.')}>
          <MailChoice />
        </Section>
        <Password onChanged={() => void reload()} />
        <Logins logins={logins} reload={reload} />
        <Tokens />
        <Groups />
      </main>
    </div>
  )
}
