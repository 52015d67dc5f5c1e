/** Desktop notifications, which the browser has to allow: it is asked when they are switched on. */
import { useState } from 'react'
import { t } from '../../i18n'
import { set, useSetting } from '../../settings/store'
import { Field, Switch, whole } from '../../ui/settings/rows'

const USUAL_SECONDS = 30
const SECONDS = whole(1, 86_400)

export function NotifyAfter() {
  const after = useSetting((all) => all.site.notifyAfter)
  const [allowed, setAllowed] = useState(() => (typeof Notification === 'undefined' ? 'denied' : Notification.permission))
  const choose = async (on: boolean) => {
    if (!on) return set({ site: { notifyAfter: 0 } })
    const answer = typeof Notification === 'undefined' ? 'denied' : await Notification.requestPermission()
    setAllowed(answer)
    if (answer === 'granted') set({ site: { notifyAfter: USUAL_SECONDS } })
  }
  return (
    <>
      <Switch
        label={t('Desktop notification when a long run ends')}
        hint={allowed === 'denied' ? t('This browser does not allow this site to notify you. Its own settings can change that.') : t('While you look at something else. The tab’s title tells it as well.')}
        value={after > 0 && allowed === 'granted'}
        onChange={(on) => void choose(on)}
      />
      {after > 0 && allowed === 'granted' && (
        <Field label={t('A run is long after')} hint={t('Seconds.')} value={after} show={String} read={SECONDS} wrong={t('A whole number of seconds, at most a day.')} onChange={(notifyAfter) => set({ site: { notifyAfter } })} />
      )}
    </>
  )
}
