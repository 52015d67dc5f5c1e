/** Who may open it by its address alone. */
import { Building2, Globe, Lock } from 'lucide-react'
import { t } from '../../i18n'
import { type LinkAccess, type Sharing, sharing } from '../../api/sharing'
import type { GrantRole } from '../../api/types'
import { Select } from '../kit'
import { audiences, explained, expiryOf, inherited, roleName, roles, terms, until } from './words'

const ICONS = { restricted: <Lock size={17} aria-hidden />, signed_in: <Building2 size={17} aria-hidden />, anyone: <Globe size={17} aria-hidden /> }

export function GeneralAccess({ item, shared, change }: { item: string; shared: Sharing; change: (work: Promise<unknown>) => void }) {
  const own = shared.links.find((link) => !link.inherited)
  const { audience, role, ends } = settingOf(own)
  const changeable = shared.role === 'owner'
  return (
    <section aria-labelledby="share-general">
      <h3 id="share-general" className="share-heading">
        {t('General access')}
      </h3>
      <div className="share-general" data-audience={audience}>
        <span className="share-icon">{ICONS[audience]}</span>
        <div className="share-person">
          {changeable ? (
            <div className="share-general-settings">
              <Select label={t('Who may open it')} value={audience} options={audiences()} onChange={(next) => change(sharing.setLink(item, next, role, ends))} />
              {audience !== 'restricted' && (
                <>
                  <Select label={t('Role by the link')} value={role} options={roles()} onChange={(next) => change(sharing.setLink(item, audience, next, ends))} />
                  <Select label={t('End of the link')} value={ends === null ? 'never' : 'now'} options={terms(ends)} onChange={(term) => change(sharing.setLink(item, audience, role, expiryOf(term, ends)))} />
                </>
              )}
            </div>
          ) : (
            <strong>
              {audiences().find(({ value }) => value === audience)?.label}
              {audience !== 'restricted' && ` · ${roleName(role)}${ends === null ? '' : ` · ${until(ends)}`}`}
            </strong>
          )}
          <span className="share-explained">{explained(audience, role)}</span>
          {shared.links.filter((link) => link.inherited).map((link, index) => (
            <span key={index} className="share-explained">{inherited(link)}</span>
          ))}
        </div>
      </div>
    </section>
  )
}

function settingOf(link: LinkAccess | undefined): { readonly audience: LinkAccess['audience']; readonly role: GrantRole; readonly ends: number | null } {
  return { audience: link?.audience ?? 'restricted', role: (link?.role ?? 'viewer') as GrantRole, ends: link?.expires_at ?? null }
}
