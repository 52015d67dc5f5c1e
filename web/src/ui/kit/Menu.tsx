/** Menus: a menubar, a menu behind a button, and one under the pointer, all written as lists of entries. */
import { ContextMenu as BaseContextMenu } from '@base-ui/react/context-menu'
import { Menu as BaseMenu } from '@base-ui/react/menu'
import { Menubar as BaseMenubar } from '@base-ui/react/menubar'
import { Check, ChevronRight } from 'lucide-react'
import { createContext, type ReactElement, type ReactNode, useContext, useRef, useState } from 'react'
import { classes } from './classes'

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

/** Keeps what was chosen until the menu has gone. */
const Choose = createContext<(run: () => void) => void>((run) => run())

/** What was chosen runs once the menu has gone and has given the focus back: then it may move it. */
function useChoice() {
  const chosen = useRef<(() => void) | null>(null)
  const [choose] = useState(() => (run: () => void) => {
    chosen.current = run
  })
  const onOpenChangeComplete = () => {
    if (chosen.current) setTimeout(chosen.current)
    chosen.current = null
  }
  return { choose, onOpenChangeComplete }
}

function Row({ icon, label, shortcut }: { icon?: ReactNode; label: string; shortcut?: string | undefined }) {
  return (
    <>
      <span className="menu-icon">{icon}</span>
      <span className="menu-label">{label}</span>
      {shortcut !== undefined && <kbd className="menu-shortcut">{shortcut}</kbd>}
    </>
  )
}

function Entry({ entry }: { entry: Exclude<MenuEntry, 'separator'> }) {
  const choose = useContext(Choose)
  if ('heading' in entry) return <div className="menu-heading" role="presentation">{entry.heading}</div>
  if ('items' in entry)
    return (
      <BaseMenu.SubmenuRoot disabled={entry.disabled ?? false}>
        <BaseMenu.SubmenuTrigger className="menu-item">
          <Row icon={entry.icon} label={entry.label} />
          <ChevronRight size={16} aria-hidden className="menu-more" />
        </BaseMenu.SubmenuTrigger>
        <Popup items={entry.items} />
      </BaseMenu.SubmenuRoot>
    )
  if (entry.checked !== undefined)
    return (
      <BaseMenu.CheckboxItem className="menu-item" checked={entry.checked} onCheckedChange={() => choose(entry.onSelect)} disabled={entry.disabled ?? false} closeOnClick>
        <Row icon={entry.checked ? <Check size={16} aria-hidden /> : undefined} label={entry.label} shortcut={entry.shortcut} />
      </BaseMenu.CheckboxItem>
    )
  return (
    <BaseMenu.Item className={classes('menu-item', entry.danger && 'menu-item-danger')} onClick={() => choose(entry.onSelect)} disabled={entry.disabled ?? false}>
      <Row icon={entry.icon} label={entry.label} shortcut={entry.shortcut} />
    </BaseMenu.Item>
  )
}

function Entries({ items }: { items: MenuEntries }) {
  return (typeof items === 'function' ? items() : items).map((entry, at) => (entry === 'separator' ? <BaseMenu.Separator key={at} className="menu-separator" /> : <Entry key={at} entry={entry} />))
}

function Popup({ items, align = 'start' }: { items: MenuEntries; align?: 'start' | 'end' }) {
  return (
    <BaseMenu.Portal>
      <BaseMenu.Positioner className="layer" sideOffset={4} align={align} collisionPadding={8}>
        <BaseMenu.Popup className="menu">
          <Entries items={items} />
        </BaseMenu.Popup>
      </BaseMenu.Positioner>
    </BaseMenu.Portal>
  )
}

export interface MenubarMenu {
  readonly label: string
  readonly items: MenuEntries
}

export function Menubar({ menus, label }: { menus: readonly MenubarMenu[]; label: string }) {
  return (
    <BaseMenubar className="menubar" aria-label={label} modal={false}>
      {menus.map((menu) => (
        <InMenubar key={menu.label} {...menu} />
      ))}
    </BaseMenubar>
  )
}

function InMenubar({ label, items }: MenubarMenu) {
  const { choose, onOpenChangeComplete } = useChoice()
  return (
    <Choose value={choose}>
      <BaseMenu.Root modal={false} onOpenChangeComplete={onOpenChangeComplete}>
        <BaseMenu.Trigger className="menubar-trigger">{label}</BaseMenu.Trigger>
        <Popup items={items} />
      </BaseMenu.Root>
    </Choose>
  )
}

/** `trigger` is a button element; it is given the menu's behaviour. */
export function Menu({ trigger, items, align = 'start', onOpen }: { trigger: ReactElement; items: MenuEntries; align?: 'start' | 'end'; onOpen?: () => void }) {
  const { choose, onOpenChangeComplete } = useChoice()
  return (
    <Choose value={choose}>
      <BaseMenu.Root modal={false} onOpenChange={(open) => open && onOpen?.()} onOpenChangeComplete={onOpenChangeComplete}>
        <BaseMenu.Trigger render={trigger} />
        <Popup items={items} align={align} />
      </BaseMenu.Root>
    </Choose>
  )
}

/** `children` is one element; pressing the second button on it, or the menu key, opens the menu. */
export function ContextMenu({ items, children }: { items: readonly MenuEntry[]; children: ReactElement }) {
  const { choose, onOpenChangeComplete } = useChoice()
  return (
    <BaseContextMenu.Root onOpenChangeComplete={onOpenChangeComplete}>
      <BaseContextMenu.Trigger render={children} />
      <BaseContextMenu.Portal>
        <BaseContextMenu.Positioner className="layer" collisionPadding={8}>
          <BaseContextMenu.Popup className="menu">
            <Choose value={choose}>
              <Entries items={items} />
            </Choose>
          </BaseContextMenu.Popup>
        </BaseContextMenu.Positioner>
      </BaseContextMenu.Portal>
    </BaseContextMenu.Root>
  )
}
