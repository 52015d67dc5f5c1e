/** Buttons: a labelled one in four weights, and an icon with its name as a tooltip. */
import { Button as BaseButton } from '@base-ui/react/button'
import type { ComponentProps, ReactNode } from 'react'
import { classes } from './classes'
import { Hint } from './Hint'
import { Spinner } from './Spinner'

type Weight = 'primary' | 'soft' | 'outline' | 'ghost' | 'danger'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  readonly weight?: Weight
  readonly icon?: ReactNode
  readonly busy?: boolean
  readonly small?: boolean
  readonly className?: string | undefined
}

/** `busy` keeps the label and the focus, and ignores presses until the work is done. */
export function Button({ weight = 'outline', icon, busy = false, small = false, className, children, onClick, disabled, ...rest }: ButtonProps) {
  return (
    <BaseButton
      type="button"
      {...rest}
      className={classes('button', `button-${weight}`, small && 'button-small', className)}
      aria-busy={busy || undefined}
      focusableWhenDisabled={busy}
      disabled={disabled === true || busy}
      onClick={onClick}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </BaseButton>
  )
}

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'className' | 'children'> {
  readonly label: string
  readonly icon: ReactNode
  readonly shortcut?: string | undefined
  readonly className?: string | undefined
  readonly pressed?: boolean | undefined
}

/** An icon whose name is read out, and shown when pointed at or focused. */
export function IconButton({ label, icon, shortcut, className, pressed, ...rest }: IconButtonProps) {
  return (
    <Hint text={label} shortcut={shortcut}>
      <button type="button" {...rest} aria-label={label} aria-pressed={pressed} className={classes('icon-button', className)}>
        {icon}
      </button>
    </Hint>
  )
}
