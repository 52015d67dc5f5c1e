/** Changing the password, which signs out every other place. */
import { type FormEvent, useState } from 'react'
import { t } from '../../i18n'
import { ApiError, api } from '../../api/client'
import { Button, notify, TextField } from '../../ui/kit'
import { PASSWORD_MIN } from '../../ui/password'
import { Section } from './Section'

export function Password({ onChanged }: { onChanged: () => void }) {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<{ readonly of: 'current' | 'next'; readonly words: string }>()

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await api.changePassword(current, next)
      setCurrent('')
      setNext('')
      notify({ title: t('Your password is changed'), detail: t('Everywhere else you are signed out now.'), kind: 'good' })
      onChanged()
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) setProblem({ of: 'current', words: t('This is not your password. Try again.') })
      else setProblem({ of: 'next', words: error instanceof Error ? error.message : String(error) })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Section title={t('Password')} lead={t('Changing it signs you out everywhere but here.')}>
      <form className="account-form" onSubmit={(event) => void submit(event)}>
        <TextField label={t('Current password')} type="password" value={current} onChange={setCurrent} autoComplete="current-password" required error={problem?.of === 'current' ? problem.words : undefined} />
        <TextField
          label={t('New password')}
          type="password"
          value={next}
          onChange={setNext}
          autoComplete="new-password"
          minLength={PASSWORD_MIN}
          required
          hint={t('At least {PASSWORD_MIN} characters.', { PASSWORD_MIN })}
          error={problem?.of === 'next' ? problem.words : undefined}
        />
        <Button type="submit" weight="soft" busy={busy} disabled={current === '' || next.length < PASSWORD_MIN}>
          {t('Change password')}
        </Button>
      </form>
    </Section>
  )
}
