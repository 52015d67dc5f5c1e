/** What this is, and which: of the server and of the page, which may be of different builds for a while. */
import './help.css'
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { build } from '../../shell/build'
import { Mark } from '../kit'

export default function About() {
  const [version, setVersion] = useState<string | null>()
  useEffect(() => {
    const asking = new AbortController()
    fetch('/healthz', { signal: asking.signal })
      .then(async (answer) => setVersion(String(((await answer.json()) as { version?: string }).version ?? '')))
      .catch(() => asking.signal.aborted || setVersion(null))
    return () => asking.abort()
  }, [])
  return (
    <div className="about">
      <Mark size={48} />
      <p>{t('Notebooks that a group writes together, with a machine of your own behind them.')}</p>
      <dl className="about-versions">
        <dt>{t('Server')}</dt>
        <dd>{version === null ? t('does not answer') : (version ?? '…')}</dd>
        <dt>{t('Page')}</dt>
        <dd>{build() || t('under development')}</dd>
      </dl>
      <p className="about-small">{t('Free software under the Apache License 2.0.')}</p>
    </div>
  )
}
