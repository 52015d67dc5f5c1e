/** What a command is. Every command stands once, in one of the lists beside this file. */
import type { LucideIcon } from 'lucide-react'
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
  /** Another menu in which it also stands, under its name there. */
  readonly also?: { readonly menu: MenuName; readonly group: number; readonly name?: string }
  /** Present: a button over the cells; its label is what it is called there, and its text may be shorter. */
  readonly tool?: { readonly label: string; readonly text: string; readonly icon: LucideIcon }
  /** Present: also in the menu of a cell of these types, in this group. */
  readonly cell?: { readonly group: number; readonly types?: readonly ('code' | 'markdown' | 'raw')[] }
  /** In Colab's preset; what is in force, `keysOf` says. Keys that write in a text mean a command only outside of one. */
  readonly keys?: readonly string[]
  readonly needs?: 'write' | 'run' | 'comment'
  /** All its keys work only outside of a cell's text: there they mean something else. */
  readonly outside?: boolean
  /** All its keys work only in a cell's text. */
  readonly inside?: boolean
  /** Its keys also work in other fields of the page. */
  readonly everywhere?: boolean
  /** Its keys also work while an output has the keyboard. It runs nothing and changes nothing: an output could ask for it unasked. */
  readonly harmless?: boolean
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
