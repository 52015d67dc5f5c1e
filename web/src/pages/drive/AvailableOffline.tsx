/** Without a server: the notebooks that this browser has copies of. */
import { CloudOff, FileText } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { at } from '../../i18n/formats'
import { t } from '../../i18n'
import { editsWait } from '../../model/text'
import { type Available, available } from '../../room/shelf'
import { useMe } from '../../ui/account'
import { Button, EmptyState } from '../../ui/kit'

export default function AvailableOffline({ retry }: { retry: () => void }) {
  const me = useMe()
  const [found, setFound] = useState<readonly Available[]>()
  useEffect(() => {
    // A browser that keeps nothing has nothing to show.
    available(me.id).then(setFound, () => setFound([]))
  }, [me])
  useEffect(() => {
    addEventListener('online', retry)
    return () => removeEventListener('online', retry)
  }, [retry])
  if (found === undefined) return null
  if (found.length === 0) {
    return (
      <EmptyState icon={<CloudOff size={36} />} title={t('The server does not answer')} actions={<Button onClick={retry}>{t('Try again')}</Button>}>
        {t('Notebooks that you opened in this browser would be here.')}
      </EmptyState>
    )
  }
  return (
    <section className="offline" aria-labelledby="offline-title">
      <div className="offline-head">
        <CloudOff size={20} aria-hidden />
        <div>
          <h2 id="offline-title">{t('Available offline')}</h2>
          <p>{t('The server does not answer. These notebooks can be read and edited here; what you write is merged when it is back.')}</p>
        </div>
        <Button onClick={retry}>{t('Try again')}</Button>
      </div>
      <ul aria-label={t('Available offline')}>
        {found.map(({ notebook, name, opened, unsent }) => (
          <li key={notebook}>
            <FileText size={20} aria-hidden />
            <Link href={`/notebooks/${notebook}`}>{name}</Link>
            {unsent > 0 && <span className="offline-waits">{editsWait(unsent)}</span>}
            <time dateTime={new Date(opened).toISOString()}>{at('day', opened)}</time>
          </li>
        ))}
      </ul>
    </section>
  )
}
