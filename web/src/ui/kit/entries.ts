/** What menus are made of. */
import type { FocusEvent, KeyboardEvent, MouseEvent, PointerEvent, ReactElement, ReactNode } from 'react'

export interface MenuCommand {
  readonly label: string
  readonly onSelect: () => void
  readonly icon?: ReactNode
  readonly shortcut?: string | undefined
  readonly disabled?: boolean
  readonly danger?: boolean
  /** Present: the entry is a tick box. */
  readonly checked?: boolean
}
export interface Submenu {
  readonly label: string
  readonly items: readonly MenuEntry[]
  readonly icon?: ReactNode
  readonly disabled?: boolean
}
export interface MenuHeading {
  readonly heading: string
}
export type MenuEntry = MenuCommand | Submenu | MenuHeading | 'separator'
/** A function is asked when the menu is opened. */
export type MenuEntries = readonly MenuEntry[] | (() => readonly MenuEntry[])

export interface MenubarMenu {
  readonly label: string
  readonly items: MenuEntries
}

export interface MenuProps {
  /** A button element; it is given the menu's behaviour. */
  readonly trigger: ReactElement<Pressed>
  readonly items: MenuEntries
  readonly align?: 'start' | 'end'
  readonly onOpen?: () => void
}

/** What a button may do besides opening its menu. */
export interface Pressed {
  readonly onClick?: (event: MouseEvent<HTMLButtonElement>) => void
  readonly onKeyDown?: (event: KeyboardEvent<HTMLButtonElement>) => void
  readonly onPointerEnter?: (event: PointerEvent<HTMLButtonElement>) => void
  readonly onFocus?: (event: FocusEvent<HTMLButtonElement>) => void
}

/** Where a menubar was first used, and by what; null: its menu was not opened. */
export interface Begun {
  readonly at: number
  readonly by: 'key' | 'pointer' | null
}
