/** What an element is called or does, shown when it is pointed at or focused: one tooltip for the page, drawn once it is wanted. */
import { cloneElement, type DOMAttributes, type FocusEvent, type PointerEvent, type ReactElement, type ReactNode, useEffect, useId } from 'react'
import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { later } from './later'
import type { Shown } from './shown'

const POINTED_MS = 500
/** Who has just seen one sees the next at once. */
const AGAIN_MS = 400

const shown = createStore<Shown | null>(() => null)
const DrawnHint = later(() => import('./DrawnHint'))
let timer: ReturnType<typeof setTimeout> | undefined
let wanted: string | null = null
let hiddenAt = -Infinity

function show(hint: Shown, wait: number): void {
  clearTimeout(timer)
  wanted = hint.of
  // A hint that cannot be fetched is no loss: the element has a name.
  const draw = () => void DrawnHint.ahead().then(() => wanted === hint.of && shown.setState(hint, true), () => undefined)
  if (wait > 0) timer = setTimeout(draw, wait)
  else draw()
}

function hide(of: string): void {
  if (wanted !== of) return
  clearTimeout(timer)
  wanted = null
  if (shown.getState() === null) return
  hiddenAt = performance.now()
  shown.setState(null, true)
}

/** For an element that already has a name of its own. */
export function Hint({ text, shortcut, side, children }: { text: ReactNode; shortcut?: string | undefined; side?: 'bottom'; children: ReactElement }) {
  const self = useId()
  useEffect(() => () => hide(self), [self])
  useEffect(() => {
    const now = shown.getState()
    if (now?.of === self && (now.text !== text || now.shortcut !== shortcut)) shown.setState({ ...now, text, shortcut }, true)
  }, [self, text, shortcut])
  const given = children.props as DOMAttributes<Element>
  return cloneElement(children as ReactElement<DOMAttributes<Element>>, {
    onPointerEnter: (event: PointerEvent) => {
      given.onPointerEnter?.(event)
      const wait = performance.now() - hiddenAt < AGAIN_MS ? 0 : POINTED_MS
      if (event.pointerType === 'mouse') show({ of: self, anchor: event.currentTarget, text, shortcut, side }, wait)
    },
    onPointerLeave: (event: PointerEvent) => {
      given.onPointerLeave?.(event)
      hide(self)
    },
    onPointerDown: (event: PointerEvent) => {
      given.onPointerDown?.(event)
      hide(self)
    },
    onFocus: (event: FocusEvent) => {
      given.onFocus?.(event)
      if (event.currentTarget.matches(':focus-visible')) show({ of: self, anchor: event.currentTarget, text, shortcut, side }, 0)
    },
    onBlur: (event: FocusEvent) => {
      given.onBlur?.(event)
      hide(self)
    },
  })
}

/** Where the tooltip is drawn; once in a page. */
export function Hints() {
  const hint = useStore(shown)
  return hint && <DrawnHint key={hint.of} hint={hint} dismiss={() => hide(hint.of)} />
}
