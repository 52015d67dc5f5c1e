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
const MARGIN = '800px 0px'

export class EditorPool {
  private readonly slots = new Map<Element, Slot>()
  private readonly near = new Set<Element>()
  /** In order of last use. */
  private readonly live = new Set<Element>()
  private watcher: IntersectionObserver | null = null
  private root: HTMLElement | null = null
  private lastScroll = -Infinity
  private frame = 0

  /** Watch what is near in this scrolling element. */
  attach(root: HTMLElement): void {
    this.detach()
    this.root = root
    this.watcher = new IntersectionObserver((entries) => this.seen(entries), { root, rootMargin: MARGIN })
    root.addEventListener('scroll', this.scrolled, { passive: true })
    for (const element of this.slots.keys()) this.watcher.observe(element)
  }

  add(element: Element, slot: Slot): () => void {
    this.slots.set(element, slot)
    this.watcher?.observe(element)
    return () => {
      this.watcher?.unobserve(element)
      this.slots.delete(element)
      this.near.delete(element)
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
    this.schedule()
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
    this.near.clear()
  }

  private seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      if (entry.isIntersecting) this.near.add(entry.target)
      else this.near.delete(entry.target)
    }
    this.schedule()
  }

  private readonly scrolled = (): void => {
    this.lastScroll = performance.now()
    this.schedule()
  }

  private schedule(): void {
    this.frame ||= requestAnimationFrame(this.settle)
  }

  private readonly settle = (): void => {
    this.frame = 0
    if (performance.now() - this.lastScroll < REST_MS) return this.schedule()
    const until = performance.now() + WORK_MS
    let room = LIVE_MAX
    for (const element of this.nearestFirst()) {
      if (room-- <= 0) break
      if (!this.live.delete(element)) {
        if (performance.now() > until) return this.schedule()
        this.slots.get(element)?.mount()
      }
      this.live.add(element)
    }
    this.trim()
  }

  private nearestFirst(): Element[] {
    if (!this.root) return []
    const { top, height } = this.root.getBoundingClientRect()
    const middle = top + height / 2
    // Asking where something is that the browser leaves out, far cells after printing, lays out each by itself: seconds.
    const drawn = [...this.near].filter((element) => element.checkVisibility({ contentVisibilityAuto: true }))
    const far = new Map(drawn.map((element) => [element, distance(element.getBoundingClientRect(), middle)]))
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
