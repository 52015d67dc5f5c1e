/** Servers that programs of the runtime run, each opened in a tab of its own on an origin of its own. */
import { Popover } from '@base-ui/react/popover'
import { ExternalLink, Network } from 'lucide-react'
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { inside, type Port, type RuntimeId } from '../../api/inside'
import { Button, IconButton, notify, notifyError, Spinner } from '../kit'
import './ports.css'

export function Ports({ runtime }: { runtime: RuntimeId }) {
  const [open, setOpen] = useState(false)
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger render={<IconButton label={t('Ports')} icon={<Network size={18} aria-hidden />} />} />
      <Popover.Portal>
        <Popover.Positioner className="layer" sideOffset={6} align="end" collisionPadding={8}>
          <Popover.Popup className="menu ports" data-keys="own">
            <Popover.Title className="ports-title">{t('Ports')}</Popover.Title>
            {open && <PortList runtime={runtime} />}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

const EVERY_MS = 3000

function PortList({ runtime }: { runtime: RuntimeId }) {
  const [ports, setPorts] = useState<readonly Port[] | null>(null)
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let over = false
    const look = async () => {
      try {
        const found = await inside.ports(runtime)
        if (over) return
        setPorts(found)
        setError(null)
      } catch (cause) {
        if (over) return
        setError(cause instanceof Error ? cause.message : String(cause))
      }
      timer = setTimeout(() => void look(), EVERY_MS)
    }
    void look()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [runtime])

  if (error !== null) return <p className="ports-note">{error}</p>
  if (ports === null) return <Spinner label={t('Looking for ports')} />
  if (ports.length === 0) return <p className="ports-note">{t('No program listens on a port. Start one, such as TensorBoard or Gradio, and open it here.')}</p>
  return (
    <ul className="ports-list">
      {ports.map(({ port, process }) => (
        <li key={port}>
          <span className="ports-number">{port}</span>
          <span className="ports-process">{process ?? ''}</span>
          <Button small weight="soft" icon={<ExternalLink size={14} aria-hidden />} aria-label={t('Open port {port}', { port })} onClick={() => void openPort(runtime, port)}>
            {t('Open')}
          </Button>
        </li>
      ))}
    </ul>
  )
}

/** The program's page is a stranger: it learns neither where it was opened from, nor gets hold of this page. */
export async function openPort(runtime: RuntimeId, port: number): Promise<void> {
  try {
    const { url } = await inside.openPort(runtime, port)
    if (!/^https?:/.test(url)) throw new Error(t('The server gave an address that cannot be opened.'))
    // The browser opens a tab for a press of a button, and a slow answer may come too late for that.
    if (navigator.userActivation?.isActive === false) notify({ title: t('Port {port} is ready', { port }), action: { label: t('Open'), run: () => window.open(url, '_blank', 'noopener,noreferrer') } })
    else window.open(url, '_blank', 'noopener,noreferrer')
  } catch (error) {
    notifyError(t('Port {port} could not be opened', { port }), error)
  }
}
