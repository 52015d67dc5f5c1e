/**
 * A long text on the screen that grows at its end, at the cost of what was added.
 *
 * The text is kept as blocks of whole lines. When it changes, equal blocks keep their elements: an append touches the
 * last block alone, and when the shown tail of an endless log moves on, the blocks that are still in it only move up.
 */
import { type AnsiState, appendAnsi } from './ansi'

export const BLOCK_CHARACTERS = 16_384
const LINE_PIXELS = 19

interface Block {
  readonly element: HTMLElement
  text: string
  /** Colours in force at its end. */
  after: AnsiState
}

/** Where the text may be cut: behind the last line end within reach, or, in an endless line, anywhere. */
export function blockEnd(text: string, from: number, limit: number): number {
  const reach = from + BLOCK_CHARACTERS
  if (reach >= limit) return limit
  const line = text.lastIndexOf('\n', reach - 1)
  if (line >= from) return line + 1
  return isLowSurrogate(text, reach) ? reach - 1 : reach
}

const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00

export class StreamView {
  private head: Block[] = []
  private tail: Block[] = []
  private readonly headBox = document.createElement('div')
  private readonly gapBox = document.createElement('div')
  private readonly tailBox = document.createElement('div')

  constructor(root: HTMLElement) {
    this.gapBox.className = 'stream-gap'
    root.replaceChildren(this.headBox, this.gapBox, this.tailBox)
    this.gapBox.hidden = true
  }

  /** Where the note about what is left out goes. */
  get gap(): HTMLElement {
    return this.gapBox
  }

  /** Shows this text; `omittedAt`: something was left out before this character. */
  show(text: string, omittedAt: number | null): void {
    const cut = omittedAt ?? text.length
    this.gapBox.hidden = omittedAt === null
    this.made = 0
    this.head = this.fit(this.headBox, this.head, text, 0, cut)
    this.tail = this.fit(this.tailBox, this.tail, text, cut, text.length)
  }

  /** How many blocks the last change made anew; for tests. */
  made = 0

  private fit(box: HTMLElement, old: readonly Block[], text: string, from: number, to: number): Block[] {
    const kept: Block[] = []
    const start = aligned(old, text, from, to)
    for (const gone of old.slice(0, start.block)) gone.element.remove()
    let at = this.fill(box, old[start.block]?.element ?? null, kept, text, from, start.at)
    for (let index = start.block; index < old.length; index += 1) {
      const block = old[index] as Block
      const last = index === old.length - 1
      // The last block is open: it takes what follows, up to its size.
      const end = last ? blockEnd(text, at, to) : at + block.text.length
      const same = end <= to && end > at && text.startsWith(block.text, at) && at + block.text.length <= end
      if (same && (end - at === block.text.length ? settle(block, end === to) : this.grow(block, text.slice(at, end), end === to))) {
        kept.push(block)
        at = end
        continue
      }
      for (const gone of old.slice(index)) gone.element.remove()
      break
    }
    this.fill(box, null, kept, text, at, to)
    return kept
  }

  /** Makes the blocks of a stretch of text, before an element or at the end; says where it ended. */
  private fill(box: HTMLElement, before: HTMLElement | null, kept: Block[], text: string, from: number, to: number): number {
    let at = from
    while (at < to) {
      const end = blockEnd(text, at, to)
      const block = this.make(text.slice(at, end), kept.at(-1)?.after ?? null, end === to && before === null)
      box.insertBefore(block.element, before)
      kept.push(block)
      at = end
    }
    return at
  }

  private grow(block: Block, text: string, last: boolean): boolean {
    if (!text.startsWith(block.text) || block.element.lastChild === null) return false
    const added = text.slice(block.text.length)
    const holder = block.element
    trimEnd(holder)
    // A half-written escape waits in the old text: only a fresh reading can complete it.
    if (/\x1b[^m]*$/.test(block.text.slice(-32))) return false
    const end = holder.lastChild
    if (block.after === null && !added.includes('\x1b') && end instanceof Text) end.appendData(added)
    else block.after = appendAnsi(holder, added, block.after)
    block.text = text
    finish(block, last)
    return true
  }

  private make(text: string, before: AnsiState, last: boolean): Block {
    const element = document.createElement('div')
    element.className = 'stream-block'
    const after = appendAnsi(element, text, before)
    const block: Block = { element, text, after }
    finish(block, last)
    this.made += 1
    return block
  }
}

const PROBES_MAX = 16

/**
 * Which old block is the first that is still in the text, and where it begins there. The shown part of an endless log
 * loses lines at its top, so the first block may be gone, or be there in part.
 */
function aligned(old: readonly Block[], text: string, from: number, to: number): { readonly block: number; readonly at: number } {
  const first = old[0]
  if (first === undefined || old.length === 1 || text.startsWith(first.text, from)) return { block: 0, at: from }
  for (let index = 1; index < Math.min(old.length - 1, PROBES_MAX); index += 1) {
    const at = text.indexOf((old[index] as Block).text, from)
    if (at !== -1 && at - from <= BLOCK_CHARACTERS && at < to) return { block: index, at }
  }
  return { block: 0, at: from }
}

/** An unchanged block may have become, or stopped being, the last. */
function settle(block: Block, last: boolean): true {
  trimEnd(block.element)
  finish(block, last)
  return true
}

/** A block that ends a line would show the line's end twice when it is copied: once itself, once as a block. */
function finish(block: Block, last: boolean): void {
  const { element, text } = block
  if (!last && text.endsWith('\n') && !text.endsWith('\n\n') && text.length > 1) {
    const end = lastText(element)
    if (end?.data.endsWith('\n')) {
      end.deleteData(end.length - 1, 1)
      const hidden = document.createElement('span')
      hidden.hidden = true
      hidden.className = 'stream-end'
      hidden.textContent = '\n'
      element.append(hidden)
    }
  }
  element.style.containIntrinsicBlockSize = `auto ${lineCount(text) * LINE_PIXELS}px`
}

function trimEnd(element: HTMLElement): void {
  const hidden = element.lastElementChild
  if (hidden?.className !== 'stream-end') return
  hidden.remove()
  const end = lastText(element)
  if (end) end.appendData('\n')
  else element.append('\n')
}

function lastText(node: Node): Text | null {
  let last: Node | null = node
  while (last !== null && !(last instanceof Text)) last = last.lastChild
  return last
}

function lineCount(text: string): number {
  let lines = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < text.length - 1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}
