/**
 * HTML that strangers wrote, made fit for this page.
 *
 * What survives is text, tables, lists and pictures that are in the HTML itself: nothing that runs, asks the network,
 * names an element, takes input or leaves its box. `lossless` says whether anything was taken away that one could see;
 * if so, the original belongs in an output frame.
 */
import createDOMPurify from 'dompurify'
import { t } from '../i18n'
import { withoutTableStyle } from './active'

export interface Clean {
  readonly fragment: DocumentFragment
  readonly lossless: boolean
}

const TAGS = [
  'a', 'abbr', 'article', 'b', 'bdi', 'bdo', 'blockquote', 'br', 'caption', 'center', 'cite', 'code', 'col', 'colgroup', 'dd', 'del', 'details', 'dfn', 'div', 'dl', 'dt', 'em', 'figcaption', 'figure',
  'font', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'ins', 'kbd', 'li', 'mark', 'ol', 'p', 'pre', 'q', 'rp', 'rt', 'ruby', 's', 'samp', 'section', 'small', 'span', 'strike', 'strong',
  'sub', 'summary', 'sup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'time', 'tr', 'tt', 'u', 'ul', 'var', 'wbr',
]
const ATTRIBUTES = [
  'align', 'alt', 'border', 'cellpadding', 'cellspacing', 'class', 'color', 'colspan', 'datetime', 'dir', 'face', 'headers', 'height', 'href', 'lang', 'open', 'reversed', 'rowspan', 'scope', 'size',
  'span', 'src', 'start', 'style', 'title', 'type', 'valign', 'value', 'width',
]
/** Attributes whose going nobody sees where there is no style sheet and no script. */
const UNSEEN = /^(?:id|name|role|slot|part|is|tabindex|nonce|xmlns|target|rel|download|frame|rules|quick|char|charoff|axis|abbr|loading|decoding|referrerpolicy|translate|spellcheck|aria-.*|data-.*)$/i
/** Classes that this page itself gives a meaning to. */
const CLASSES: ReadonlySet<string> = new Set(['dataframe', 'math-inline', 'math-block', 'task', 'task-done', 'footnotes', 'footnote-mention', 'footnote-back'])
const LANGUAGE = /^language-[\w+#-]{1,30}$/

const PROPERTIES = new Set(
  (
    'color background background-color font font-family font-size font-style font-variant font-weight line-height letter-spacing word-spacing text-align text-decoration text-decoration-line text-decoration-color ' +
    'text-decoration-style text-indent text-overflow text-transform white-space word-break word-wrap overflow-wrap vertical-align padding padding-top padding-right padding-bottom padding-left ' +
    'margin margin-top margin-right margin-bottom margin-left border border-top border-right border-bottom border-left border-color border-style border-width border-radius border-collapse border-spacing ' +
    'border-top-color border-right-color border-bottom-color border-left-color border-top-width border-right-width border-bottom-width border-left-width border-top-style border-right-style ' +
    'border-bottom-style border-left-style width height min-width min-height max-width max-height display flex flex-direction flex-wrap flex-grow flex-shrink flex-basis gap row-gap column-gap justify-content ' +
    'align-items align-content align-self grid-template-columns float clear opacity overflow overflow-x overflow-y box-sizing table-layout caption-side empty-cells list-style-type direction'
  ).split(' '),
)
const WORDS = String.raw`[\w\s#%.,!+-]|"[\w\s-]*"|'[\w\s-]*'`
const VALUE = new RegExp(String.raw`^(?:${WORDS}|(?:rgba?|hsla?|calc|min|max|clamp|linear-gradient|transparent)\((?:[\w\s#%.,+*-]|rgba?\([\d\s.,%]*\))*\))+$`, 'i')

/** The harmless part of a style attribute, rebuilt from what was understood; and whether that was all of it. */
export function cleanStyle(style: string): { readonly style: string; readonly whole: boolean } {
  if (style.length > 4000) return { style: '', whole: false }
  const kept: string[] = []
  let whole = true
  for (const piece of style.split(';')) {
    if (piece.trim() === '') continue
    const colon = piece.indexOf(':')
    const property = piece.slice(0, colon).trim().toLowerCase()
    const value = piece.slice(colon + 1).trim()
    const negative = property.startsWith('margin') && /(?:^|\s)-/.test(value)
    if (colon > 0 && PROPERTIES.has(property) && !negative && VALUE.test(value)) kept.push(`${property}: ${value}`)
    // Vendors' own properties change nothing that one would miss.
    else if (!property.startsWith('-')) whole = false
  }
  return { style: kept.join('; '), whole }
}

const INLINE_IMAGE = /^data:image\/(?:png|jpe?g|gif|webp|bmp|svg\+xml)[;,]/i
const HREF = /^(?:https?:\/\/|mailto:|#)/i
const SCRIPT_HREF = /^[\s\p{Cc}]*(?:j\s*a\s*v\s*a|v\s*b)\s*s\s*c\s*r\s*i\s*p\s*t/iu

/** The address of a picture that comes along with the text (`attachment:name`), if there is such a one. */
export type Attached = (name: string) => string | null

interface Findings {
  lossless: boolean
  readonly attached: Attached
}

function preparedNode(node: Element, found: Findings): void {
  if (node.attributes === undefined) return
  for (const { name, value } of [...node.attributes]) {
    const key = name.toLowerCase()
    if (UNSEEN.test(key)) node.removeAttribute(name)
    else if (key === 'class') {
      const kept = value.split(/\s+/).filter((one) => CLASSES.has(one) || LANGUAGE.test(one))
      if (kept.length > 0) node.setAttribute('class', kept.join(' '))
      else node.removeAttribute(name)
    } else if (key === 'style') {
      const { style, whole } = cleanStyle(value)
      found.lossless &&= whole
      if (style === '') node.removeAttribute(name)
      else node.setAttribute('style', style)
    } else if (key === 'href' && !HREF.test(value.trim())) {
      // A relative address leads nowhere from a frame either, so its going is no loss; a script's is.
      found.lossless &&= !SCRIPT_HREF.test(value)
      node.removeAttribute(name)
    } else if (key === 'src' && value.startsWith('attachment:')) {
      const address = found.attached(decoded(value.slice('attachment:'.length)))
      if (address !== null && INLINE_IMAGE.test(address)) node.setAttribute('src', address)
      else node.removeAttribute(name)
    } else if (key === 'src' && !(node.nodeName.toLowerCase() === 'img' && INLINE_IMAGE.test(value))) {
      found.lossless = false
      if (/^https?:\/\//i.test(value) && node.nodeName.toLowerCase() === 'img') node.setAttribute('title', value)
      node.removeAttribute(name)
    }
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    // A stray percent sign: the name as it stands.
    return name
  }
}

type Purifier = ReturnType<typeof createDOMPurify>
let purifier: Purifier | undefined
const nothingAttached: Attached = () => null
let findings: Findings = { lossless: true, attached: nothingAttached }

function prepared(): Purifier {
  if (purifier !== undefined) return purifier
  purifier = createDOMPurify(window)
  purifier.addHook('beforeSanitizeAttributes', (node) => preparedNode(node, findings))
  purifier.addHook('afterSanitizeAttributes', (node) => {
    if (node.nodeName.toLowerCase() === 'a' && node.hasAttribute('href')) {
      if (!node.getAttribute('href')?.startsWith('#')) node.setAttribute('target', '_blank')
      node.setAttribute('rel', 'noopener noreferrer nofollow')
    }
    if (node.nodeName.toLowerCase() === 'img') node.setAttribute('loading', 'lazy')
  })
  return purifier
}

/** In the place of a picture from elsewhere: what it is, and a link, since looking at it tells its host who looked. */
function replaceByNote(image: Element): void {
  const address = image.getAttribute('title') ?? ''
  const words = image.getAttribute('alt')?.trim() || t('Image')
  const remote = /^https?:\/\/([^/?#]+)/i.exec(address)
  const note = image.ownerDocument.createElement(remote && image.closest('a') === null ? 'a' : 'span')
  note.className = 'remote-image'
  note.textContent = words
  if (remote) {
    note.title = t('From {host}; not loaded', { host: remote[1]! })
    if (note.nodeName.toLowerCase() === 'a') {
      note.setAttribute('href', address)
      note.setAttribute('target', '_blank')
      note.setAttribute('rel', 'noopener noreferrer nofollow')
    }
  }
  image.replaceWith(note)
}

/** What was removed that one could have seen. Comments and empty heads are not. */
function missed(removed: readonly unknown[]): boolean {
  return removed.some((one) => {
    const { element, attribute } = one as { element?: Node; attribute?: Attr | null }
    if (element) return !/^(?:#comment|body|head|html|title)$/i.test(element.nodeName)
    return attribute !== null && attribute !== undefined
  })
}

/** A place to parse in where nothing is fetched, nothing runs, and no policy is asked about what never will. */
function parsed(html: string): HTMLElement {
  const inert = document.createElement('template').content.ownerDocument
  const root = inert.createElement('div')
  root.innerHTML = html
  return root
}

/** A head that says nothing, as over the index of a DataFrame, is read out as one; as a cell it is passed over. */
function replaceByCell(head: Element): void {
  const cell = head.ownerDocument.createElement('td')
  for (const { name, value } of [...head.attributes]) cell.setAttribute(name, value)
  head.replaceWith(cell)
}

export function clean(html: string, attached: Attached = nothingAttached): Clean {
  const purify = prepared()
  const mine: Findings = { lossless: true, attached }
  findings = mine
  const root = parsed(withoutTableStyle(html))
  purify.sanitize(root, {
    IN_PLACE: true,
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    SANITIZE_NAMED_PROPS: true,
    KEEP_CONTENT: true,
  })
  const lossless = mine.lossless && !missed(purify.removed)
  for (const image of root.querySelectorAll('img:not([src])')) replaceByNote(image)
  for (const head of root.querySelectorAll('th:empty')) replaceByCell(head)
  const fragment = document.createDocumentFragment()
  fragment.append(...root.childNodes)
  return { fragment, lossless }
}
