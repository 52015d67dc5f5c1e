/** What stands where the inside of a runtime would be, while there is none. */
import { Plug } from 'lucide-react'
import type { ReactNode } from 'react'
import { t } from '../../i18n'
import { Button, EmptyState, Spinner } from '../kit'
import { useDesk, useMay, useSession } from '../notebook/hooks'

export function NotConnected({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  const desk = useDesk()
  const may = useMay('run')
  const comes = useSession(({ connecting, runtime }) => connecting || runtime?.state === 'requested' || runtime?.state === 'starting')
  if (comes)
    return (
      <div className="inside-waiting">
        <Spinner label={t('Connecting')} large />
      </div>
    )
  return (
    <EmptyState
      icon={icon}
      title={t('Not connected')}
      actions={
        may && (
          <Button weight="soft" icon={<Plug size={16} aria-hidden />} onClick={() => desk.session.connect()}>
            {t('Connect')}
          </Button>
        )
      }
    >
      {children}
    </EmptyState>
  )
}
