/** What is said to whoever wants to save, where every keystroke is saved. */
import { t } from '../../i18n'
import { notify } from '../kit'
import type { Standing } from './standing'

/** Longer than that, and whoever waits is told that it is on its way. */
const PATIENCE_MS = 2000

export function saySaved({ room }: Standing): void {
  if (room.state.getState().connection !== 'online') {
    notify({ title: t('Offline'), detail: t('Your edits are kept in this browser, and saved as soon as the server answers.') })
    return
  }
  const say = (title: string): void => notify({ title, detail: t('Collegium saves every keystroke as you type.'), kind: 'good' })
  if (room.unsaved.getState() === 0) return say(t('Everything is saved'))
  // What was written just before is on its way: a moment later it is there.
  const done = (title: string): void => {
    clearTimeout(timer)
    stop()
    say(title)
  }
  const timer = setTimeout(() => done(t('Saving…')), PATIENCE_MS)
  const stop = room.unsaved.subscribe((waiting) => waiting === 0 && done(t('Everything is saved')))
}
