/** Dialogs: a titled one for anything, one that asks before what cannot be undone, and one that asks for a name. */
import { AlertDialog } from '@base-ui/react/alert-dialog'
import { Dialog as BaseDialog } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { t } from '../../i18n'
import { Button } from './Button'
import { TextField } from './TextField'
import { useWayBack } from './wayBack'

export interface DialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  readonly description?: ReactNode
  readonly children?: ReactNode
  /** Buttons, the main one last. */
  readonly actions?: ReactNode
  readonly wide?: boolean
}

export function Dialog({ open, onClose, title, description, children, actions, wide = false }: DialogProps) {
  const back = useWayBack(open)
  return (
    <BaseDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="backdrop" />
        <BaseDialog.Popup className={wide ? 'dialog dialog-wide' : 'dialog'} finalFocus={back}>
          <div className="dialog-head">
            <BaseDialog.Title className="dialog-title">{title}</BaseDialog.Title>
            <BaseDialog.Close className="icon-button" aria-label={t('Close')}>
              <X size={18} aria-hidden />
            </BaseDialog.Close>
          </div>
          {description !== undefined && <BaseDialog.Description className="dialog-description">{description}</BaseDialog.Description>}
          {children}
          {actions !== undefined && <div className="dialog-actions">{actions}</div>}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  )
}

export interface ConfirmDialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly onConfirm: () => void | Promise<void>
  readonly title: string
  readonly description: ReactNode
  readonly confirm: string
  readonly danger?: boolean
}

export function ConfirmDialog({ open, onClose, onConfirm, title, description, confirm, danger = false }: ConfirmDialogProps) {
  const [busy, setBusy] = useState(false)
  const back = useWayBack(open)
  const go = async () => {
    setBusy(true)
    try {
      await onConfirm()
    } finally {
      setBusy(false)
    }
    onClose()
  }
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="dialog" finalFocus={back}>
          <AlertDialog.Title className="dialog-title">{title}</AlertDialog.Title>
          <AlertDialog.Description className="dialog-description">{description}</AlertDialog.Description>
          <div className="dialog-actions">
            <Button weight="ghost" onClick={onClose}>
              {t('Cancel')}
            </Button>
            <Button weight={danger ? 'danger' : 'primary'} busy={busy} onClick={() => void go()}>
              {confirm}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}

export interface NameDialogProps {
  readonly open: boolean
  readonly onClose: () => void
  /** Rejecting keeps the dialog open and shows the error's message. */
  readonly onSubmit: (name: string) => Promise<void>
  readonly title: string
  readonly label: string
  readonly initial: string
  readonly submit: string
}

export function NameDialog(props: NameDialogProps) {
  return (
    <Dialog open={props.open} onClose={props.onClose} title={props.title}>
      {props.open && <NameForm {...props} />}
    </Dialog>
  )
}

function NameForm({ initial, label, submit, onSubmit, onClose }: NameDialogProps) {
  const [name, setName] = useState(initial)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const go = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    try {
      await onSubmit(name.trim())
      onClose()
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
      setBusy(false)
    }
  }
  return (
    <form onSubmit={(event) => void go(event)}>
      <TextField label={label} value={name} onChange={setName} error={error} autoFocus selectOnFocus maxLength={255} />
      <div className="dialog-actions">
        <Button weight="ghost" onClick={onClose}>
          {t('Cancel')}
        </Button>
        <Button weight="primary" type="submit" busy={busy} disabled={name.trim() === ''}>
          {submit}
        </Button>
      </div>
    </form>
  )
}
