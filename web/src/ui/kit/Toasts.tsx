/** Short notices in the corner, with at most one thing to do about each. */
import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react'
import type { ReactNode } from 'react'

export interface Notice {
  readonly title: string
  readonly detail?: string | undefined
  readonly kind?: 'info' | 'good' | 'bad'
  readonly action?: { readonly label: string; readonly run: () => void }
}

const manager = Toast.createToastManager()

/** Shows a notice; a bad one stays until it is closed. May be called from anywhere. */
export function notify({ title, detail, kind = 'info', action }: Notice): void {
  const id = manager.add({
    title,
    description: detail,
    type: kind,
    timeout: kind === 'bad' ? 0 : 6000,
    priority: kind === 'bad' ? 'high' : 'low',
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          manager.close(id)
          action.run()
        },
      },
    }),
  })
}

/** The notice for something that went wrong, in the words of the error. */
export function notifyError(title: string, cause: unknown): void {
  notify({ title, detail: cause instanceof Error ? cause.message : String(cause), kind: 'bad' })
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
        <Toast.Close className="icon-button" aria-label="Close">
          <X size={16} aria-hidden />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}

export function ToastProvider({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager} limit={4}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}
