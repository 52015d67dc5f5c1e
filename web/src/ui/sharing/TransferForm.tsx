/** Making somebody else the owner: whom, what that means, and only then. */
import { type FormEvent, useState } from 'react'
import { t } from '../../i18n'
import { type Sharing, sharing } from '../../api/sharing'
import { Button } from '../kit'
import { type Choice, PeopleField } from './PeopleField'

export function TransferForm({ item, name, shared, onDone, onBack }: { item: string; name: string; shared: Sharing; onDone: (to: string) => void; onBack: () => void }) {
  const [text, setText] = useState('')
  const [choice, setChoice] = useState<Choice | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const lost = [...shared.people, ...shared.groups].some(({ inherited }) => inherited) || shared.links.some(({ inherited }) => inherited)
  const go = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await sharing.transfer(item, choice?.kind === 'person' ? choice.person.email : text.trim())
      onDone(text.trim())
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
      setBusy(false)
    }
  }
  return (
    <form className="share-transfer" onSubmit={(event) => void go(event)}>
      <PeopleField
        label={t('New owner')}
        groups={false}
        text={text}
        error={error}
        onChange={(next, chosen) => {
          setText(next)
          setChoice(chosen)
          setError(undefined)
        }}
      />
      <ul className="share-consequences">
        <li>{t('“{name}”, with everything in it, moves to the top of their drive and counts against their storage.', { name })}</li>
        <li>{t('You stay an editor, until they decide otherwise. Only they can give it back.')}</li>
        {lost && <li>{t('Whoever can open it only by a folder of yours loses it.')}</li>}
      </ul>
      <div className="dialog-actions">
        <Button weight="ghost" onClick={onBack}>
          {t('Back')}
        </Button>
        <Button weight="danger" type="submit" busy={busy} disabled={text.trim() === ''}>
          {t('Transfer ownership')}
        </Button>
      </div>
    </form>
  )
}
