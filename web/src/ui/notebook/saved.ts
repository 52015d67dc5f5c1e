/** What is said to whoever wants to save, where every keystroke is saved. */
import { t } from '../../i18n'
import { notify } from '../kit'
import type { Standing } from './standing'

export function saySaved(desk: Standing): void {
  const waiting = desk.room.unsaved.getState()
  const { connection } = desk.room.state.getState()
  if (connection !== 'online') notify({ title: t('Offline'), detail: t('Your edits are kept in this browser, and saved as soon as the server answers.') })
  else notify({ title: waiting === 0 ? t('Everything is saved') : t('Saving…'), detail: t('Collegium saves every keystroke as you type.'), kind: 'good' })
}
