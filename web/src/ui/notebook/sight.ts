/**
 * Scrolling to a cell. A far cell is as tall as is guessed until it is drawn, which is a frame or two after it has come
 * near: those above then push away what was just scrolled to, so it is scrolled to again.
 */
import { between } from '../../editor/pool'

const FRAMES = 3
let turn = 0
let led = false

/** `show` scrolls there; it is called again while what is near is drawn, unless something else is gone to. */
export function untilDrawn(show: () => void): void {
  led = true
  repeat(show)
}

/**
 * Whatever else scrolls far at once (the browser's own search, a key, a script) finds groups of cells that are not drawn:
 * the browser holds the group in its place then, and not the cell. This holds the first cell that begins in sight, or
 * the end of the page; gives what ends it.
 */
export function holdPlace(scroller: HTMLElement, list: Element): () => void {
  let last = scroller.scrollTop
  const scrolled = () => {
    const { scrollTop, clientHeight } = scroller
    const far = Math.abs(scrollTop - last) > clientHeight
    last = scrollTop
    if (!far || led) return
    const place = placeOf(scroller, list)
    if (!place) return
    const before = place()
    repeat(() => {
      const off = place() - before
      // Not for nothing: a movement of the browser's own that is under way would end.
      if (Math.abs(off) >= 1) scroller.scrollTop += off
    })
  }
  scroller.addEventListener('scroll', scrolled, { passive: true })
  return () => scroller.removeEventListener('scroll', scrolled)
}

/** Where that which is to be held stands, in pixels. */
function placeOf(scroller: HTMLElement, list: Element): (() => number) | null {
  const { top, bottom } = scroller.getBoundingClientRect()
  if (scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) return () => scroller.scrollHeight - scroller.scrollTop
  const cells = between(list.children, top, bottom).flatMap((group) => between(group.children, top, bottom))
  const held = cells.find((cell) => cell.getBoundingClientRect().top >= top) ?? cells[0]
  return held === undefined ? null : () => held.getBoundingClientRect().top
}

function repeat(show: () => void): void {
  const mine = ++turn
  let left = FRAMES
  const go = () => {
    if (mine !== turn) return
    show()
    if (left-- > 0) requestAnimationFrame(go)
    else led = false
  }
  go()
}
