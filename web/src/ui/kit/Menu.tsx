/** Menus, written as lists of entries: a menubar, and a menu behind a button. Until one is asked for they are bare buttons. */
import { cloneElement, type FocusEvent, type KeyboardEvent, type MouseEvent, type PointerEvent, useState } from 'react'
import { t } from '../../i18n'
import type { Begun, MenubarMenu, MenuProps, Pressed } from './entries'
import { later } from './later'
import { notifyError } from './notify'

const drawn = () => import('./DrawnMenu')
const DrawnMenu = later(async () => ({ default: (await drawn()).DrawnMenu }))
const DrawnMenubar = later(async () => ({ default: (await drawn()).DrawnMenubar }))

/** Have what draws menus come: somebody is about to open one. */
export function loadMenus(): void {
  for (const part of [DrawnMenu, DrawnMenubar]) part.ahead().catch(() => undefined)
}

function whenHere(part: { ahead(): Promise<void> }, then: () => void): void {
  part.ahead().then(then, (error: unknown) => notifyError(t('This could not be loaded'), error))
}

/** Enter and Space press a button as well, without a count of clicks. */
const byKey = (event: MouseEvent): boolean => event.detail === 0

/** A thousand cells have a menu each, and few are ever opened. */
export function Menu(props: MenuProps) {
  const [asked, setAsked] = useState<'key' | 'pointer' | null>(null)
  if (asked !== null) return <DrawnMenu {...props} by={asked} />
  const { trigger, onOpen } = props
  const given = trigger.props
  const open = (by: 'key' | 'pointer') =>
    whenHere(DrawnMenu, () => {
      if (by === 'pointer') onOpen?.()
      setAsked(by)
    })
  return cloneElement(trigger, {
    'aria-haspopup': 'menu',
    'aria-expanded': false,
    onPointerEnter: (event: PointerEvent<HTMLButtonElement>) => {
      given.onPointerEnter?.(event)
      loadMenus()
    },
    onFocus: (event: FocusEvent<HTMLButtonElement>) => {
      given.onFocus?.(event)
      loadMenus()
    },
    onClick: (event: MouseEvent<HTMLButtonElement>) => {
      given.onClick?.(event)
      open(byKey(event) ? 'key' : 'pointer')
    },
    onKeyDown: (event: KeyboardEvent<HTMLButtonElement>) => {
      given.onKeyDown?.(event)
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
      event.preventDefault()
      open('key')
    },
  } as Partial<Pressed>)
}

export function Menubar({ menus, label }: { menus: readonly MenubarMenu[]; label: string }) {
  const [begun, setBegun] = useState<Begun | null>(null)
  if (begun !== null) return <DrawnMenubar menus={menus} label={label} begun={begun} />
  const draw = (at: number, by: Begun['by']) => whenHere(DrawnMenubar, () => setBegun((before) => before ?? { at, by }))
  return (
    <div className="menubar" role="menubar" aria-label={label} aria-orientation="horizontal" onPointerEnter={loadMenus}>
      {menus.map((menu, at) => (
        <button
          key={menu.label}
          type="button"
          role="menuitem"
          className="menubar-trigger"
          aria-haspopup="menu"
          aria-expanded={false}
          tabIndex={at === 0 ? 0 : -1}
          onFocus={loadMenus}
          onClick={(event) => draw(at, byKey(event) ? 'key' : 'pointer')}
          onKeyDown={({ key }) => {
            if (key === 'ArrowDown' || key === 'ArrowUp') draw(at, 'key')
            else if (key === 'ArrowRight' || key === 'End') draw(key === 'End' ? menus.length - 1 : (at + 1) % menus.length, null)
            else if (key === 'ArrowLeft' || key === 'Home') draw(key === 'Home' ? 0 : (at + menus.length - 1) % menus.length, null)
          }}
        >
          {menu.label}
        </button>
      ))}
    </div>
  )
}
