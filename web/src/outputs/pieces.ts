/** Rendered Markdown on the page: what did not change stays as it is, and signs become what they stand for. */
import { colourFences } from './fences'
import { setMath } from './math'

interface Piece {
  /** As it was rendered, to be compared. */
  readonly plain: Node
  /** As it is on the page. */
  readonly shown: ChildNode
}

/** A diagram waits here for its frame. */
export interface Diagram {
  readonly place: HTMLElement
  readonly source: string
}

export const DIAGRAM_MAX = 50_000

export class Pieces {
  private pieces: readonly Piece[] = []
  /** Where there are diagrams, in order. */
  diagrams: readonly Diagram[] = []

  constructor(private readonly root: HTMLElement) {}

  /** Show this. What is the same at the beginning and at the end is not touched: a diagram there is not drawn again. */
  show(fragment: DocumentFragment, drawn: boolean): void {
    const next = [...fragment.childNodes]
    // Somebody else took pieces away or put others in their place: all is made anew.
    const before = this.pieces.every(({ shown }) => shown.parentNode === this.root) ? this.pieces : []
    if (before.length === 0) this.root.replaceChildren()
    let head = 0
    while (head < Math.min(before.length, next.length) && before[head]!.plain.isEqualNode(next[head]!)) head++
    let tail = 0
    while (tail < Math.min(before.length, next.length) - head && before.at(-1 - tail)!.plain.isEqualNode(next.at(-1 - tail)!)) tail++
    for (const { shown } of before.slice(head, before.length - tail)) shown.remove()
    const fresh = next.slice(head, next.length - tail).map((node) => this.made(node, drawn))
    const after = before[before.length - tail]?.shown ?? null
    for (const { shown } of fresh) this.root.insertBefore(shown, after)
    this.pieces = [...before.slice(0, head), ...fresh, ...before.slice(before.length - tail)]
    setMath(this.root)
    colourFences(this.root)
    this.diagrams = [...this.root.querySelectorAll<HTMLElement>('.diagram')].flatMap((place) => {
      const source = sources.get(place)
      return source === undefined ? [] : [{ place, source }]
    })
  }

  private made(node: ChildNode, drawn: boolean): Piece {
    const plain = node.cloneNode(true)
    if (!drawn || !(node instanceof Element)) return { plain, shown: node }
    const box = document.createElement('div')
    box.append(node)
    for (const code of box.querySelectorAll('pre > code.language-mermaid')) replaceByPlace(code)
    return { plain, shown: box.firstChild! }
  }
}

const sources = new WeakMap<Element, string>()

function replaceByPlace(code: Element): void {
  const source = code.textContent ?? ''
  if (source.length > DIAGRAM_MAX) return
  const place = document.createElement('div')
  place.className = 'diagram'
  sources.set(place, source)
  code.parentElement!.replaceWith(place)
}

/** Real boxes for the signs of tasks. With `toggle`, and where each sign is a task of the text, they can be ticked. */
export function setTasks(root: HTMLElement, count: number, label: string, toggle: ((task: number) => void) | undefined): void {
  const signs = [...root.querySelectorAll<HTMLElement>('.task')]
  signs.forEach((sign, at) => {
    const box = document.createElement('input')
    box.type = 'checkbox'
    box.checked = sign.classList.contains('task-done')
    const item = sign.closest('li')
    box.setAttribute('aria-label', (item?.textContent ?? '').trim().slice(0, 120) || label)
    // The text says what is done: the box follows it.
    if (toggle && signs.length === count) box.addEventListener('click', (event) => (event.preventDefault(), toggle(at)))
    else box.disabled = true
    item?.classList.add('task-item')
    sign.replaceChildren(box)
  })
}
