/**
 * Which cells hold an editor. A far cell is plain text; about a dozen near the viewport are alive. They are mounted
 * when scrolling rests, a few milliseconds a frame, so that a thousand cells scroll like a page of text.
 */

export interface Slot {
  mount(): void
  unmount(): void
  /** Its editor has the focus, or must stay for another reason. */
  readonly held: boolean
}

const LIVE_MAX = 12
const REST_MS = 120
const WORK_MS = 8
const MARGIN_PX = 800
/** The class of the elements that are slots. */
const SLOT = 'source'

export class EditorPool {
  private readonly slots = new Map<Element, Slot>()
  /** In order of last use. */
  private readonly live = new Set<Element>()
  private watcher: ResizeObserver | null = null
  private root: HTMLElement | null = null
  private list: Element | null = null
  private near: ReadonlySet<Element> = new Set()
  private lastScroll = -Infinity
  private frame = 0

  /**
   * Watch what is near in this scrolling element: slots lie in boxes, these in the groups of a list, each below the
   * other.
   */
  attach(root: HTMLElement, list: Element): void {
    this.detach()
    this.root = root
    this.list = list
    // Two elements, and not each of a thousand boxes, which a browser would look at in every frame, with every key.
    this.watcher = new ResizeObserver(this.look)
    this.watcher.observe(root)
    this.watcher.observe(list)
    root.addEventListener('scroll', this.scrolled, { passive: true })
    this.look()
  }

  add(element: Element, slot: Slot): () => void {
    this.slots.set(element, slot)
    this.look()
    return () => {
      this.slots.delete(element)
      if (this.live.delete(element)) slot.unmount()
    }
  }

  /** Mount at once: the person is there. */
  need(element: Element): void {
    const slot = this.slots.get(element)
    if (!slot) return
    if (!this.live.has(element)) slot.mount()
    this.live.delete(element)
    this.live.add(element)
    this.trim()
  }

  /** Put every editor away and bring the near ones back, with new options. */
  renew(): void {
    for (const element of this.live) this.slots.get(element)?.unmount()
    this.live.clear()
    this.look()
  }

  /** Other boxes may be near now. */
  readonly look = (): void => {
    this.frame ||= requestAnimationFrame(this.settle)
  }

  close(): void {
    this.detach()
    cancelAnimationFrame(this.frame)
    for (const element of this.live) this.slots.get(element)?.unmount()
    this.live.clear()
  }

  private detach(): void {
    this.watcher?.disconnect()
    this.root?.removeEventListener('scroll', this.scrolled)
    this.root = this.list = null
    this.near = new Set()
  }

  private readonly scrolled = (): void => {
    this.lastScroll = performance.now()
    this.look()
  }

  private readonly settle = (): void => {
    this.frame = 0
    if (performance.now() - this.lastScroll < REST_MS) return this.look()
    const until = performance.now() + WORK_MS
    let room = LIVE_MAX
    const nearest = this.nearestFirst()
    this.near = new Set(nearest)
    for (const element of nearest) {
      if (room-- <= 0) break
      if (!this.live.delete(element)) {
        if (performance.now() > until) return this.look()
        this.slots.get(element)?.mount()
      }
      this.live.add(element)
    }
    this.trim()
  }

  private nearestFirst(): Element[] {
    if (!this.root || !this.list) return []
    const { top, bottom, height } = this.root.getBoundingClientRect()
    if (height === 0) return []
    const middle = (top + bottom) / 2
    const [from, to] = [top - MARGIN_PX, bottom + MARGIN_PX]
    const far = new Map<Element, number>()
    for (const group of between(this.list.children, from, to)) {
      for (const box of between(group.children, from, to)) {
        const apart = distance(box.getBoundingClientRect(), middle)
        for (const element of box.getElementsByClassName(SLOT)) if (this.slots.has(element)) far.set(element, apart)
      }
    }
    return [...far.keys()].sort((a, b) => far.get(a)! - far.get(b)!)
  }

  private trim(): void {
    for (const pass of ['far', 'near'] as const) {
      for (const element of this.live) {
        if (this.live.size <= LIVE_MAX) return
        const slot = this.slots.get(element)
        if (slot?.held || (pass === 'far' && this.near.has(element))) continue
        this.live.delete(element)
        slot?.unmount()
      }
    }
  }
}

function distance(box: DOMRect, middle: number): number {
  return box.top <= middle && box.bottom >= middle ? 0 : Math.min(Math.abs(box.top - middle), Math.abs(box.bottom - middle))
}

/** The boxes between two heights, of those that stand below each other. Halving asks for the places of ten in a thousand. */
export function between(boxes: ArrayLike<Element>, top: number, bottom: number): Element[] {
  let [from, to] = [0, boxes.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (boxes[middle]!.getBoundingClientRect().bottom < top) from = middle + 1
    else to = middle
  }
  const found: Element[] = []
  for (let at = from; at < boxes.length && boxes[at]!.getBoundingClientRect().top <= bottom; at++) found.push(boxes[at]!)
  return found
}
