/** How much of the drive is used. */
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { drive, type Usage } from '../../api/drive'
import { classes, Hint } from '../../ui/kit'
import { sizeText } from './listing'

export function Storage({ seen }: { seen: unknown }) {
  const [usage, setUsage] = useState<Usage>()
  useEffect(() => {
    let current = true
    // What cannot be asked now is asked again with the next listing.
    drive.usage().then((next) => current && setUsage(next), () => undefined)
    return () => {
      current = false
    }
  }, [seen])
  if (usage === undefined) return null
  const share = usage.quota ? Math.min(1, usage.used / usage.quota) : null
  const words = usage.quota === null ? t('{size} used', { size: sizeText(usage.used) }) : t('{part} of {whole}', { part: sizeText(usage.used), whole: sizeText(usage.quota) })
  return (
    <Hint text={t('Files, notebooks and their outputs, those in the trash too')}>
      <section className="storage" aria-label={t('Storage')} tabIndex={0}>
        {share !== null && (
          <div className="storage-track" role="meter" aria-label={t('Storage used')} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100} aria-valuetext={words}>
            <div className={classes('storage-used', share > 0.9 && 'storage-scarce')} style={{ width: `${share * 100}%` }} />
          </div>
        )}
        <span>{words}</span>
      </section>
    </Hint>
  )
}
