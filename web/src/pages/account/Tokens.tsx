/** API tokens: made by name, shown once, revoked at any time. */
import { Check, Copy, KeyRound } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { t } from '../../i18n'
import { brief } from '../../i18n/formats'
import { api } from '../../api/client'
import type { Token } from '../../api/types'
import { Button, ConfirmDialog, Dialog, notifyError, TextField } from '../../ui/kit'
import { Section } from './Section'
import { useLoaded } from './useLoaded'

export function Tokens() {
  const [tokens, reload] = useLoaded(api.tokens, t('The tokens could not be listed'))
  const [name, setName] = useState('')
  const [busy, setBusy] = useState(false)
  const [made, setMade] = useState<{ readonly name: string; readonly secret: string } | null>(null)
  const [revoking, setRevoking] = useState<Token | null>(null)

  const create = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    try {
      const { secret } = await api.createToken(name.trim())
      setMade({ name: name.trim(), secret })
      setName('')
      await reload()
    } catch (error) {
      notifyError(t('The token could not be made'), error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Section title={t('API tokens')} lead={t('For programs that act in your name: scripts, VS Code, continuous integration.')}>
      <form className="account-row" onSubmit={(event) => void create(event)}>
        <TextField label={t('Name of the new token')} value={name} onChange={setName} placeholder={t('What will use it')} maxLength={100} required />
        <Button type="submit" weight="soft" busy={busy} disabled={name.trim() === ''}>
          {t('Create token')}
        </Button>
      </form>
      <ul className="account-list">
        {tokens?.map((token) => (
          <li key={token.id}>
            <KeyRound size={20} aria-hidden />
            <div className="account-words">
              <strong>{token.name}</strong>
              <span>
                {t('Made {when}', { when: brief(token.created_at, Date.now()) })} · {token.used_at === null ? t('never used') : t('last used {when}', { when: brief(token.used_at, Date.now()) })}
              </span>
            </div>
            <Button small onClick={() => setRevoking(token)} aria-label={t('Revoke {name}', { name: token.name })}>
              {t('Revoke')}
            </Button>
          </li>
        ))}
      </ul>
      <Dialog open={made !== null} onClose={() => setMade(null)} title={t('Token “{value}”', { value: made?.name ?? '' })} description={t('Copy it now: it is kept here only in a form that cannot be read back.')} actions={<Button weight="primary" onClick={() => setMade(null)}>{t('Done')}</Button>}>
        {made !== null && <Secret secret={made.secret} />}
      </Dialog>
      <ConfirmDialog
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        danger
        title={t('Revoke “{value}”?', { value: revoking?.name ?? '' })}
        description={t('Programs that use it are refused from now on.')}
        confirm={t('Revoke')}
        onConfirm={async () => {
          if (revoking) await api.revokeToken(revoking.id).then(reload, (error: unknown) => notifyError(t('It could not be revoked'), error))
        }}
      />
    </Section>
  )
}

function Secret({ secret }: { secret: string }) {
  const [done, setDone] = useState(false)
  return (
    <div className="account-secret">
      <code>{secret}</code>
      <Button
        small
        icon={done ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
        onClick={() => void navigator.clipboard.writeText(secret).then(() => setDone(true), (error: unknown) => notifyError(t('It could not be copied'), error))}
      >
        {done ? t('Copied') : t('Copy')}
      </Button>
    </div>
  )
}
