/** Whether one wants mail about what happens; part of the account page. */
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { ask } from '../../api/client'
import type { Schemas } from '../../api/types'
import { notifyError } from '../kit'

export function MailChoice() {
  const [choice, setChoice] = useState<Schemas['MailChoiceShown']>()
  useEffect(() => {
    ask<Schemas['MailChoiceShown']>('GET', '/me/notifications/mail').then(setChoice, (error: unknown) => notifyError(t('It is not known whether you get mail'), error))
  }, [])
  if (!choice) return null
  if (!choice.sent) return <p>{t('This installation sends no mail. The bell tells you what is new.')}</p>
  const choose = (mail: boolean) => {
    setChoice({ ...choice, mail })
    ask<void>('PUT', '/me/notifications/mail', { json: { mail } }).catch((error: unknown) => {
      setChoice(choice)
      notifyError(t('Your choice was not kept'), error)
    })
  }
  return (
    <label id="mail" className="mail-choice">
      <input type="checkbox" checked={choice.mail} onChange={(event) => choose(event.target.checked)} />
      {t('Mail me when somebody mentions or answers me, comments on a notebook of mine, or shares something with me')}
    </label>
  )
}
