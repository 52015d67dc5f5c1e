/** Markdown as notebooks write it: CommonMark, tables, footnotes, HTML, and formulas between dollar signs. */
import MarkdownIt from 'markdown-it'
import { t } from '../i18n'
import type { MimeBundle } from '../model/wire'
import { footnotes } from './footnotes'
import { isFormula } from './math'
import { type Attached, clean } from './sanitize'
import { textOf } from './values'

type Instance = InstanceType<typeof MarkdownIt>
type InlineRule = Parameters<Instance['inline']['ruler']['before']>[2]
type BlockRule = Parameters<Instance['block']['ruler']['before']>[2]
type CoreRule = Parameters<Instance['core']['ruler']['push']>[1]

const inlineMath: InlineRule = (state, silent) => {
  const { src, pos, posMax } = state
  const rest = src.slice(pos, posMax)
  const found = /^\$\$([^$]+)\$\$/.exec(rest) ?? /^\\\\?\(([\s\S]+?)\\\\?\)/.exec(rest) ?? /^\$((?:\\[\s\S]|[^$\\])+)\$/.exec(rest)
  const tex = found?.[1]
  if (found === null || tex === undefined) return false
  const display = found[0].startsWith('$$')
  if (found[0].startsWith('$') && !display && !isFormula(tex, rest.charAt(found[0].length))) return false
  if (!silent) {
    const token = state.push('math_inline', 'code', 0)
    token.content = tex
    token.meta = { display }
  }
  state.pos += found[0].length
  return true
}

const BLOCKS: readonly { readonly open: RegExp; readonly close: (open: string) => string; readonly keep: boolean }[] = [
  { open: /^\$\$/, close: () => '$$', keep: false },
  { open: /^\\\\?\[/, close: (open) => open.replace('[', ']'), keep: false },
  { open: /^\\begin\{(?:equation|align|gather|multline|eqnarray|split|cases|matrix|[pbvBV]matrix|array|alignat|aligned)\*?\}/, close: (open) => open.replace('begin', 'end'), keep: true },
]

const blockMath: BlockRule = (state, startLine, endLine, silent) => {
  const begin = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0)
  const rest = state.src.slice(begin)
  for (const { open, close, keep } of BLOCKS) {
    const opening = open.exec(rest)?.[0]
    if (opening === undefined) continue
    const closing = close(opening)
    const end = state.src.indexOf(closing, begin + opening.length)
    if (end === -1) return false
    let line = startLine
    while (line < endLine && (state.eMarks[line] ?? 0) < end + closing.length) line += 1
    if (line >= endLine) return false
    // Text behind the formula on its last line makes it an inline one.
    if (state.src.slice(end + closing.length, state.eMarks[line]).trim() !== '') return false
    const inside = state.src.slice(begin + opening.length, end)
    if (inside.includes('\n\n')) return false
    if (silent) return true
    const token = state.push('math_block', 'code', 0)
    token.block = true
    token.content = keep ? `${opening}${inside}${closing}` : inside
    token.map = [startLine, line + 1]
    state.line = line + 1
    return true
  }
  return false
}

/** `- [ ] to do` and `- [x] done`: where the letter between the brackets stands in the source; -1 where it cannot be told. */
const TASK = /^\[([ xX])\][ \t]+/

/** GitHub's task lists. A box is a sign here; whoever shows the text makes a real one of it. */
const tasks: CoreRule = (state) => {
  const { tokens } = state
  tokens.forEach((token, at) => {
    if (token.type !== 'inline' || tokens[at - 1]?.type !== 'paragraph_open' || tokens[at - 2]?.type !== 'list_item_open') return
    const [first] = token.children ?? []
    const box = first?.type === 'text' ? TASK.exec(first.content) : null
    if (!first || !box || !/\S/.test(token.content.slice(box[0].length))) return
    first.content = first.content.slice(box[0].length)
    const sign = new state.Token('task', 'span', 0)
    sign.meta = { done: box[1] !== ' ' }
    token.children!.unshift(sign)
    ;(state.env as Env).lines?.push(token.map?.[0] ?? -1)
  })
}

interface Env {
  lines?: number[]
}

/** Where each task of a text has its mark. */
export function taskPlaces(source: string): number[] {
  instance ??= made()
  const lines: number[] = []
  instance.parse(source, { lines } satisfies Env)
  const starts = [0, ...[...source.matchAll(/\r\n|\n|\r/g)].map(({ index, 0: end }) => index + end.length)]
  return lines.map((line) => {
    const start = starts[line]
    const mark = start === undefined ? null : /^(?:[\s>]|[-*+][ \t]|\d{1,9}[.)][ \t])*\[(?=[ xX]\])/.exec(source.slice(start))
    return start === undefined || mark === null ? -1 : start + mark[0].length
  })
}

function made(): Instance {
  const markdown = new MarkdownIt({ html: true, linkify: true, breaks: false, typographer: false })
  // Only what is plainly an address becomes a link: "notebook.py" is a name.
  markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })
  const isSafe = markdown.validateLink.bind(markdown)
  markdown.validateLink = (url) => isSafe(url) && (!/^[a-z][a-z0-9+.-]*:/i.test(url) || /^(?:https?|mailto|attachment|data):/i.test(url))
  markdown.inline.ruler.before('escape', 'math_inline', inlineMath)
  markdown.block.ruler.before('fence', 'math_block', blockMath, { alt: ['paragraph', 'blockquote', 'list'] })
  footnotes(markdown)
  markdown.core.ruler.push('tasks', tasks)
  markdown.renderer.rules.task = (tokens, at) => `<span class="${tokens[at]?.meta?.done ? 'task task-done' : 'task'}"></span>`
  const { escapeHtml } = markdown.utils
  markdown.renderer.rules.math_inline = (tokens, at) => `<code class="${tokens[at]?.meta?.display ? 'math-block' : 'math-inline'}">${escapeHtml(tokens[at]?.content ?? '')}</code>`
  markdown.renderer.rules.math_block = (tokens, at) => `<p><code class="math-block">${escapeHtml(tokens[at]?.content ?? '')}</code></p>\n`
  return markdown
}

let instance: Instance | undefined

export { footnoteOf } from './footnotes'

export type Attachments = Readonly<Record<string, MimeBundle>>

/** The picture of that name, as an address that holds it. */
export function attachedIn(attachments: Attachments | undefined): Attached {
  return (name) => {
    const bundle = attachments !== undefined && Object.hasOwn(attachments, name) ? attachments[name] : undefined
    const mime = bundle && Object.keys(bundle).find((one) => /^image\/(?:png|jpeg|gif|webp|bmp)$/.test(one))
    const value = mime && bundle?.[mime]
    return value ? `data:${mime};base64,${textOf(value).replace(/\s+/g, '')}` : null
  }
}

/** What a text cell shows. Formulas are still TeX in `code.math-inline` and `code.math-block`. */
export function renderMarkdown(source: string, attachments?: Attachments): DocumentFragment {
  instance ??= made()
  const { fragment } = clean(instance.render(source), attachedIn(attachments))
  // Names cannot be written by an author, so they are given here.
  for (const link of fragment.querySelectorAll('.footnote-mention > a')) link.setAttribute('aria-label', t('Footnote {number}', { number: link.textContent ?? '' }))
  for (const link of fragment.querySelectorAll('.footnote-back')) link.setAttribute('aria-label', t('Back to the text'))
  return fragment
}
