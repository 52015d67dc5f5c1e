/**
 * Scrolling to a cell. A far cell is as tall as is guessed until it is drawn, which is a frame or two after it has come
 * near: those above then push away what was just scrolled to, so it is scrolled to again.
 */

const FRAMES = 3
let turn = 0

/** `show` scrolls there; it is called again while what is near is drawn, unless something else is gone to. */
export function untilDrawn(show: () => void): void {
  const mine = ++turn
  let left = FRAMES
  const go = () => {
    if (mine !== turn) return
    show()
    if (left-- > 0) requestAnimationFrame(go)
  }
  go()
}
