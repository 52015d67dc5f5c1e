/** An edge that a panel is made larger or smaller by, with the pointer or the arrow keys; the size is kept in this browser. */
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useRef, useState } from 'react'
import './splitter.css'

export interface SplitterProps {
  /** What is resized. */
  readonly label: string
  /** The edge of the panel that is held. */
  readonly edge: 'left' | 'right' | 'top'
  readonly size: number
  readonly min: number
  readonly max: number
  readonly onSize: (size: number) => void
}

const STEP = 24

export function Splitter({ label, edge, size, min, max, onSize }: SplitterProps) {
  const held = useRef<{ readonly at: number; readonly size: number } | null>(null)
  const upright = edge !== 'top'
  const grows = edge === 'right' ? 1 : -1
  const place = (event: PointerEvent) => (upright ? event.clientX : event.clientY)
  const set = (next: number) => onSize(Math.round(Math.min(max, Math.max(min, next))))
  const press = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return
    event.preventDefault()
    event.currentTarget.setPointerCapture(event.pointerId)
    event.currentTarget.focus({ preventScroll: true })
    // The panel may have been given less room than it asks for.
    const box = event.currentTarget.parentElement?.getBoundingClientRect()
    held.current = { at: place(event), size: (upright ? box?.width : box?.height) ?? size }
  }
  const drag = (event: PointerEvent) => {
    if (held.current) set(held.current.size + (place(event) - held.current.at) * grows)
  }
  const key = (event: KeyboardEvent) => {
    const [more, less] = { left: ['ArrowLeft', 'ArrowRight'], right: ['ArrowRight', 'ArrowLeft'], top: ['ArrowUp', 'ArrowDown'] }[edge]
    const to = { [more!]: Math.min(size, max) + STEP, [less!]: Math.min(size, max) - STEP, Home: min, End: max }[event.key]
    if (to === undefined) return
    event.preventDefault()
    event.stopPropagation()
    set(to)
  }
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={upright ? 'vertical' : 'horizontal'}
      aria-valuenow={Math.round(Math.min(size, max))}
      aria-valuemin={min}
      aria-valuemax={max}
      className={`splitter splitter-${edge}`}
      data-keys="own"
      onPointerDown={press}
      onPointerMove={drag}
      onPointerUp={() => (held.current = null)}
      onPointerCancel={() => (held.current = null)}
      onKeyDown={key}
    />
  )
}

/** A size that this browser remembers. */
export function useKeptSize(name: string, first: number): readonly [number, (size: number) => void] {
  const key = `collegium.size.${name}`
  const [size, setSize] = useState(() => {
    try {
      return Number(localStorage.getItem(key)) || first
    } catch {
      // Storage may be denied to this page.
      return first
    }
  })
  const keep = useCallback(
    (next: number) => {
      setSize(next)
      try {
        localStorage.setItem(key, String(next))
      } catch {
        // As above: it then lasts as long as the page.
      }
    },
    [key],
  )
  return [size, keep]
}

/** How large the window is now. */
export function useWindowSize(): { readonly width: number; readonly height: number } {
  const [size, setSize] = useState(() => ({ width: innerWidth, height: innerHeight }))
  useEffect(() => {
    const resized = () => setSize({ width: innerWidth, height: innerHeight })
    addEventListener('resize', resized)
    return () => removeEventListener('resize', resized)
  }, [])
  return size
}
