/** What draws menus, and moves the focus in them: fetched when the first one is asked for. */
import { ContextMenu as BaseContextMenu } from '@base-ui/react/context-menu'
import { Menu as BaseMenu } from '@base-ui/react/menu'
import { Menubar as BaseMenubar } from '@base-ui/react/menubar'
import { Check, ChevronRight } from 'lucide-react'
import { createContext, type ReactElement, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import { classes } from './classes'
import type { Begun, MenubarMenu, MenuEntries, MenuEntry, MenuProps } from './entries'

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

/** A menu that was asked for by a key is opened by a key, so that its first entry has the focus. */
function useOpenedByKey(asked: boolean) {
  const trigger = useRef<HTMLButtonElement>(null)
  const [wanted] = useState(asked)
  useEffect(() => {
    if (!wanted) return
    trigger.current?.focus()
    trigger.current?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true }))
  }, [wanted])
  return trigger
}

/** `begun`: the menu that had the focus when the bar was drawn, and how it was asked for. */
export function DrawnMenubar({ menus, label, begun }: { menus: readonly MenubarMenu[]; label: string; begun: Begun }) {
  return (
    <BaseMenubar className="menubar" aria-label={label} modal={false}>
      {menus.map((menu, at) => (
        <InMenubar key={menu.label} {...menu} begun={at === begun.at ? begun : null} />
      ))}
    </BaseMenubar>
  )
}

function InMenubar({ label, items, begun }: MenubarMenu & { begun: Begun | null }) {
  const { choose, onOpenChangeComplete } = useChoice()
  const trigger = useOpenedByKey(begun?.by === 'key')
  const [focused] = useState(begun !== null)
  useEffect(() => {
    if (focused) trigger.current?.focus()
  }, [focused, trigger])
  return (
    <Choose value={choose}>
      <BaseMenu.Root modal={false} defaultOpen={begun?.by === 'pointer'} onOpenChangeComplete={onOpenChangeComplete}>
        <BaseMenu.Trigger ref={trigger} className="menubar-trigger">
          {label}
        </BaseMenu.Trigger>
        <Popup items={items} />
      </BaseMenu.Root>
    </Choose>
  )
}

/** Open from the beginning: it is drawn when it is opened for the first time. */
export function DrawnMenu({ trigger, items, align = 'start', onOpen, by }: MenuProps & { by: 'key' | 'pointer' }) {
  const { choose, onOpenChangeComplete } = useChoice()
  const place = useOpenedByKey(by === 'key')
  return (
    <Choose value={choose}>
      <BaseMenu.Root modal={false} defaultOpen={by === 'pointer'} onOpenChange={(open) => open && onOpen?.()} onOpenChangeComplete={onOpenChangeComplete}>
        <BaseMenu.Trigger ref={place} render={trigger} />
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
