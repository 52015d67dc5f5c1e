/** Short notices in the corner, with at most one thing to do about each. */
import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react'
import { type FocusEvent, type ReactNode, useEffect } from 'react'
import { t } from '../../i18n'
import { type Notice, shownBy } from './notify'
import { goBackTo } from './wayBack'

const manager = Toast.createToastManager()

/** Where the focus was before it came to the notices. */
let before: HTMLElement | null = null

function came({ currentTarget, relatedTarget }: FocusEvent): void {
  if (!currentTarget.contains(relatedTarget as Node | null)) before = relatedTarget as HTMLElement | null
}

/** Ahead of what closes the notice that has the focus: closed with it, the focus would be nowhere, unless another is there. */
function leave(): void {
  if (document.activeElement?.closest('.toasts') != null) goBackTo(before)
}

function show({ title, detail, kind = 'info', stays = kind === 'bad', action }: Notice): void {
  const id = manager.add({
    title,
    description: detail,
    type: kind,
    timeout: stays ? 0 : 6000,
    priority: kind === 'bad' ? 'high' : 'low',
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          leave()
          manager.close(id)
          action.run()
        },
      },
    }),
  })
}

const ICONS: Readonly<Record<string, ReactNode>> = {
  info: <Info size={18} aria-hidden />,
  good: <CircleCheck size={18} aria-hidden />,
  bad: <CircleAlert size={18} aria-hidden />,
}

function List() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className={`toast toast-${toast.type ?? 'info'}`}>
      <Toast.Content className="toast-content">
        <span className="toast-icon">{ICONS[toast.type ?? 'info']}</span>
        <div className="toast-words">
          <Toast.Title className="toast-title" render={<div />} />
          <Toast.Description className="toast-detail" />
        </div>
        {toast.actionProps && <Toast.Action className="button button-ghost button-small" />}
        {/* Ours lie beside each other: none waits behind another, out of reach. */}
        <Toast.Close className="icon-button" aria-label={t('Close')} aria-hidden={false} onClick={() => toasts.every((other) => other === toast || other.transitionStatus === 'ending') && leave()}>
          <X size={16} aria-hidden />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}

export default function Toasts() {
  useEffect(() => shownBy(show), [])
  return (
    <Toast.Provider toastManager={manager} limit={4}>
      <Toast.Portal>
        <Toast.Viewport className="toasts" aria-label={t('Notifications')} onFocus={came}>
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}
