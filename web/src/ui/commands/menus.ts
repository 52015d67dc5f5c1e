/** Menus made of the command table: as lists of entries, when they are opened. */
import { t } from '../../i18n'
import type { CellType } from '../../model/notebook'
import type { MenuEntry } from '../kit'
import type { Desk } from '../notebook/desk'
import { keyShown } from './keys'
import { type Command, type MenuName, usable } from './model'
import { COMMANDS } from './table'

interface Place {
  readonly command: Command
  readonly group: number
  readonly name: string
  readonly under?: string | undefined
}

/** The entries of one menu of the menubar. */
export function menuOf(desk: Desk, menu: MenuName): readonly MenuEntry[] {
  return grouped(
    desk,
    COMMANDS.flatMap((command): Place[] => {
      const { group = 0, name, under, also } = command
      if (command.menu === menu) return [{ command, group, name, under }]
      return also?.menu === menu ? [{ command, group: also.group, name: also.name ?? name }] : []
    }),
  )
}

/** The entries of the menu of a cell of this type, which has the focus. */
export function cellMenu(desk: Desk, type: CellType): readonly MenuEntry[] {
  const fitting = COMMANDS.filter(({ cell, needs }) => cell && (cell.types?.includes(type) ?? true) && (needs === undefined || desk.may(needs)))
  return grouped(desk, fitting.map((command) => ({ command, group: command.cell!.group, name: command.name })))
}

/** Groups between lines; a submenu stands in the last of its own groups. */
function grouped(desk: Desk, places: readonly Place[]): MenuEntry[] {
  const last = (name: string) => Math.max(...places.filter(({ under }) => under === name).map(({ group }) => group))
  const groups = Map.groupBy(places, ({ group, under }) => (under === undefined ? group : last(under)))
  return lined([...groups].sort(([a], [b]) => a - b).map(([, own]) => entries(desk, own)))
}

/** A submenu comes where its first entry would. */
function entries(desk: Desk, places: readonly Place[]): MenuEntry[] {
  return [...Map.groupBy(places, (place) => place.under ?? place)].map(([under, own]) => {
    if (typeof under !== 'string') return entry(desk, own[0]!)
    const groups = Map.groupBy(own, ({ group }) => group)
    return { label: t(under), items: lined([...groups].sort(([a], [b]) => a - b).map(([, some]) => some.map((place) => entry(desk, place)))) }
  })
}

const lined = (lists: readonly (readonly MenuEntry[])[]): MenuEntry[] => lists.flatMap((list, at): MenuEntry[] => (at === 0 ? [...list] : ['separator', ...list]))

function entry(desk: Desk, { command, name }: Place): MenuEntry {
  const possible = usable(command, desk)
  const shortcut = keyShown(command)
  return {
    label: t(name),
    onSelect: () => usable(command, desk) && command.run(desk),
    disabled: !possible,
    ...(shortcut !== undefined && { shortcut }),
    ...(command.checked && { checked: command.checked(desk) }),
  }
}
