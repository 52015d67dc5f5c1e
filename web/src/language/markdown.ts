/** What a language server writes about code: Markdown without HTML, pictures or anything that would be fetched. */
import MarkdownIt from 'markdown-it'
import { clean } from '../outputs/sanitize'

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: false, typographer: false }).disable(['image'])

export function rendered(source: string): HTMLElement {
  const element = document.createElement('div')
  element.className = 'cm-documentation'
  const { fragment } = clean(markdown.render(source))
  // Nothing of the kind comes of what is rendered above: what would, is not shown.
  for (const active of fragment.querySelectorAll('img, picture, video, audio, source, svg, math, form, input, button, style, link, object, embed, iframe')) active.remove()
  for (const link of fragment.querySelectorAll('a')) if (!/^https?:/.test(link.getAttribute('href') ?? '')) link.removeAttribute('href')
  element.append(fragment)
  return element
}
