/** Keeps a failure to itself: what a notebook shows is written by strangers, and one bad part must not end the page. */
import { Component, type ReactNode } from 'react'
import { t } from '../../i18n'

interface ContainedProps {
  readonly children: ReactNode
  /** Another value is another try. */
  readonly of: unknown
  readonly what: string
}
interface ContainedState {
  readonly of: unknown
  readonly failed: boolean
}

export class Contained extends Component<ContainedProps, ContainedState> {
  override state: ContainedState = { of: this.props.of, failed: false }

  static getDerivedStateFromError(): Partial<ContainedState> {
    return { failed: true }
  }

  static getDerivedStateFromProps(props: ContainedProps, state: ContainedState): ContainedState | null {
    return props.of === state.of ? null : { of: props.of, failed: false }
  }

  override render(): ReactNode {
    return this.state.failed ? <p className="contained">{t('{what} could not be shown.', { what: this.props.what })}</p> : this.props.children
  }
}
