/** Signing in with an e-mail address and a password. */
import './signin.css'
import { type FormEvent, useId, useState } from 'react'
import { t } from '../../i18n'
import { api } from '../../api/client'
import { useAccount } from '../../ui/account'
import { Button, TextField } from '../../ui/kit'
import { EntryCard } from './EntryCard'
import { signInProblem } from './problem'

export default function SignInPage() {
  const { signedIn } = useAccount()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const errorId = useId()

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const { user } = await api.signIn(email.trim(), password)
      signedIn(user)
    } catch (cause) {
      setError(signInProblem(cause))
      setBusy(false)
    }
  }

  return (
    <EntryCard title={t('Sign in')} lead={t('Notebooks you write together, run on your own machines.')}>
      <form className="entry-form" onSubmit={(event) => void submit(event)} aria-describedby={errorId}>
        <TextField label={t('Email')} type="email" value={email} onChange={setEmail} autoComplete="username" autoFocus required />
        <TextField label={t('Password')} type="password" value={password} onChange={setPassword} autoComplete="current-password" required />
        <p id={errorId} role="alert" className="entry-error">
          {error}
        </p>
        <Button weight="primary" type="submit" busy={busy}>
          {t('Sign in')}
        </Button>
      </form>
    </EntryCard>
  )
}
