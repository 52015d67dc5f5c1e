/** Footnotes, as GitHub and Pandoc write them: `[^1]` in the text, `[^1]: what it says` anywhere, and a list at the end. */
import type MarkdownIt from 'markdown-it'

type Instance = InstanceType<typeof MarkdownIt>
type InlineRule = Parameters<Instance['inline']['ruler']['after']>[2]
type BlockRule = Parameters<Instance['block']['ruler']['before']>[2]
type CoreRule = Parameters<Instance['core']['ruler']['after']>[2]

const DEFINITION = /^\[\^([^\]\s]{1,100})\]:/
const MENTION = /^\[\^([^\]\s]{1,100})\]/
const INDENT = 4

interface Env {
  /** What is explained somewhere. */
  explained?: Set<string>
  /** What is mentioned, in that order, with its number. */
  mentioned?: Map<string, number>
}

/** An explanation goes on in the lines that stand four columns to the right. */
const definition: BlockRule = (state, startLine, endLine, silent) => {
  const begin = state.bMarks[startLine]! + state.tShift[startLine]!
  const found = DEFINITION.exec(state.src.slice(begin, state.eMarks[startLine]))
  if (found === null) return false
  if (silent) return true
  ;((state.env as Env).explained ??= new Set()).add(found[1]!)
  const open = state.push('footnote_open', '', 1)
  open.meta = { label: found[1] }
  const before = { mark: state.bMarks[startLine]!, shift: state.tShift[startLine]!, columns: state.sCount[startLine]!, parent: state.parentType }
  // The first line begins behind the colon, as if it stood where the others do.
  const text = begin + found[0].length
  const blanks = /^[ \t]*/.exec(state.src.slice(text, state.eMarks[startLine]))![0].length
  state.bMarks[startLine] = text
  state.tShift[startLine] = blanks
  state.blkIndent += INDENT
  state.sCount[startLine] = state.blkIndent
  state.md.block.tokenize(state, startLine, endLine)
  state.blkIndent -= INDENT
  state.bMarks[startLine] = before.mark
  state.tShift[startLine] = before.shift
  state.sCount[startLine] = before.columns
  state.parentType = before.parent
  state.push('footnote_close', '', -1)
  return true
}

const mention: InlineRule = (state, silent) => {
  const found = MENTION.exec(state.src.slice(state.pos, state.posMax))
  const env = state.env as Env
  if (found === null || !env.explained?.has(found[1]!)) return false
  if (!silent) {
    const mentioned = (env.mentioned ??= new Map())
    const number = mentioned.get(found[1]!) ?? mentioned.size + 1
    mentioned.set(found[1]!, number)
    state.push('footnote_mention', '', 0).meta = { number }
  }
  state.pos += found[0].length
  return true
}

/** What was explained first under a name counts; what nobody mentions is not shown. */
const gather: CoreRule = (state) => {
  const { explained, mentioned = new Map<string, number>() } = state.env as Env
  if (explained === undefined) return
  type Tokens = typeof state.tokens
  const notes = new Map<string, Tokens>()
  const text: Tokens = []
  let into = text
  const outer: Tokens[] = []
  for (const token of state.tokens) {
    if (token.type === 'footnote_open') {
      outer.push(into)
      into = []
      const label = token.meta!.label as string
      if (!notes.has(label)) notes.set(label, into)
    } else if (token.type === 'footnote_close') into = outer.pop() ?? text
    else into.push(token)
  }
  state.tokens = text
  if (mentioned.size === 0) return
  const token = (type: string, nesting: -1 | 0 | 1, number = 0) => Object.assign(new state.Token(type, '', nesting), { block: true, meta: { number } })
  text.push(token('footnotes_open', 1))
  mentioned.forEach((number, label) => {
    const note = notes.get(label) ?? []
    const last = note.at(-1)?.type === 'paragraph_close' ? note.slice(-1) : []
    text.push(token('footnote_item_open', 1), ...note.slice(0, note.length - last.length), token('footnote_back', 0, number), ...last, token('footnote_item_close', -1))
  })
  text.push(token('footnotes_close', -1))
}

/** Teach it to a reader of Markdown. */
export function footnotes(markdown: Instance): void {
  markdown.block.ruler.before('reference', 'footnote', definition, { alt: ['paragraph', 'reference'] })
  markdown.inline.ruler.before('link', 'footnote', mention)
  markdown.core.ruler.after('inline', 'footnotes', gather)
  const { rules } = markdown.renderer
  rules.footnote_mention = (tokens, at) => `<sup class="footnote-mention"><a href="#fn-${tokens[at]!.meta!.number}">${tokens[at]!.meta!.number}</a></sup>`
  rules.footnotes_open = () => '<section class="footnotes"><ol>\n'
  rules.footnotes_close = () => '</ol></section>\n'
  rules.footnote_item_open = () => '<li>'
  rules.footnote_item_close = () => '</li>\n'
  rules.footnote_back = (tokens, at) => ` <a class="footnote-back" href="#fnref-${tokens[at]!.meta!.number}">↩</a>`
}

/** Where a footnote's link leads within its text; null: it is no such link. */
export function footnoteOf(link: Element, root: Element): HTMLElement | null {
  const [, back, number] = /^#fn(ref)?-(\d{1,5})$/.exec(link.getAttribute('href') ?? '') ?? []
  if (number === undefined || link.closest('.footnote-mention, .footnote-back') === null) return null
  if (back !== undefined) return root.querySelector(`.footnote-mention > a[href="#fn-${number}"]`)
  return (root.querySelector('.footnotes > ol')?.children[Number(number) - 1] as HTMLElement | undefined) ?? null
}
