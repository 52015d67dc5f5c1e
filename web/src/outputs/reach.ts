/** What scrolls sideways can be reached and scrolled by keys. It is measured from when it comes near: to measure is to lay out. */
const sizes = typeof ResizeObserver === 'function' ? new ResizeObserver((entries) => entries.forEach(({ target }) => set(target as HTMLElement))) : null
const near = typeof IntersectionObserver === 'function' ? new IntersectionObserver((entries) => entries.forEach(meet), { rootMargin: '2000px' }) : null

function meet({ target, isIntersecting }: IntersectionObserverEntry): void {
  if (!isIntersecting) return
  near?.unobserve(target)
  sizes?.observe(target)
}

function set(element: HTMLElement): void {
  if (element.scrollWidth > element.clientWidth) element.tabIndex = 0
  else element.removeAttribute('tabindex')
}

export function reachable(root: HTMLElement): void {
  for (const element of root.querySelectorAll('table, pre, .katex-display')) near?.observe(element)
}
