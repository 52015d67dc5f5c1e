/** What a command is. Every command stands once, in one of the lists beside this file. */
import { isHere } from '../../session/session'
import type { CellId } from '../../model/wire'
import type { Desk } from '../notebook/desk'

export type MenuName = 'File' | 'Edit' | 'View' | 'Insert' | 'Runtime' | 'Tools' | 'Help'
export const MENUS: readonly MenuName[] = ['File', 'Edit', 'View', 'Insert', 'Runtime', 'Tools', 'Help']

export interface Command {
  /** Stable: people's own keys are kept under it. */
  readonly id: string
  /** In English; whoever shows it translates it. An ellipsis at its end: a dialog asks for more. */
  readonly name: string
  readonly menu?: MenuName
  /** A submenu of that menu. */
  readonly under?: string
  /** Entries of one group stand together, between lines. */
  readonly group?: number
  /** Present: also in the menu of a cell of these types, in this group. */
  readonly cell?: { readonly group: number; readonly types?: readonly ('code' | 'markdown' | 'raw')[] }
  readonly keys?: readonly string[]
  readonly needs?: 'write' | 'run' | 'comment'
  /** Keys work only outside of text: in a cell's text they mean something else. */
  readonly outside?: boolean
  readonly enabled?: (desk: Desk) => boolean
  readonly checked?: (desk: Desk) => boolean
  readonly run: (desk: Desk) => void
}

export const focused = (desk: Desk): boolean => desk.view.getState().focused !== null
export const connected = (desk: Desk): boolean => isHere(desk.session.state.getState().runtime)
export const order = (desk: Desk): readonly CellId[] => desk.outline.current()
export const place = (desk: Desk): number => order(desk).indexOf(desk.view.getState().focused ?? '')

export function usable(command: Command, desk: Desk): boolean {
  return (command.needs === undefined || desk.may(command.needs)) && (command.enabled?.(desk) ?? true)
}
