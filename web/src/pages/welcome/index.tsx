/** The first administrator's one-time link: name, e-mail, password, and in. */
import '../signin/signin.css'
import { type FormEvent, useId, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { t } from '../../i18n'
import { ApiError, api } from '../../api/client'
import { useAccount } from '../../ui/account'
import { Button, TextField } from '../../ui/kit'
import { PASSWORD_MIN } from '../../ui/password'
import { EntryCard } from '../signin/EntryCard'

/** What went wrong with the link or the answers, and what to do next. */
export function welcomeProblem(error: unknown): string {
  if (!(error instanceof ApiError)) return t('Something went wrong on this page. Load it again and try once more.')
  if (error.status === 401 || error.status === 403 || error.status === 404)
    return t('This link was used already or is too old. If you have an account, sign in; otherwise start the server again, and it prints a new link.')
  return error.message
}

export default function WelcomePage() {
  const { signedIn } = useAccount()
  const [, navigate] = useLocation()
  // Read once: the secret leaves the address bar as soon as it has served.
  const [secret] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const [answers, setAnswers] = useState({ name: '', email: '', password: '' })
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const errorId = useId()
  const set = (key: keyof typeof answers) => (value: string) => setAnswers((now) => ({ ...now, [key]: value }))

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const { user } = await api.welcome({ secret, ...answers, name: answers.name.trim(), email: answers.email.trim() })
      navigate('/', { replace: true })
      signedIn(user)
    } catch (cause) {
      setError(welcomeProblem(cause))
      setBusy(false)
    }
  }

  if (secret === '')
    return (
      <EntryCard title={t('This link is not complete')} lead={t('Copy the whole address that the server printed when it started; the part after “#” belongs to it.')}>
        <Link href="/" className="button button-soft">
          {t('Sign in instead')}
        </Link>
      </EntryCard>
    )
  return (
    <EntryCard title={t('Welcome')} lead={t('You are the first here. This makes you Collegium’s administrator; the link works once.')}>
      <form className="entry-form" onSubmit={(event) => void submit(event)} aria-describedby={errorId}>
        <TextField label={t('Name')} value={answers.name} onChange={set('name')} autoComplete="name" hint={t('As colleagues will see it.')} autoFocus required maxLength={100} />
        <TextField label={t('Email')} type="email" value={answers.email} onChange={set('email')} autoComplete="username" required />
        <TextField
          label={t('Password')}
          type="password"
          value={answers.password}
          onChange={set('password')}
          autoComplete="new-password"
          hint={t('At least {PASSWORD_MIN} characters. A few words in a row are easy to keep in mind.', { PASSWORD_MIN })}
          required
          minLength={PASSWORD_MIN}
        />
        <p id={errorId} role="alert" className="entry-error">
          {error}
        </p>
        <Button weight="primary" type="submit" busy={busy}>
          {t('Create the account')}
        </Button>
      </form>
    </EntryCard>
  )
}
