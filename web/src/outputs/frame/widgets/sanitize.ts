/** What base-manager asks of `sanitize-html`, by the cleaner that is here already. */
import DOMPurify from 'dompurify'

interface Wanted {
  readonly allowedTags?: readonly string[]
  readonly allowedAttributes?: Readonly<Record<string, readonly string[]>>
}

export default function sanitize(html: string, { allowedTags = [], allowedAttributes = {} }: Wanted = {}): string {
  return DOMPurify.sanitize(html, { ALLOWED_TAGS: [...allowedTags], ALLOWED_ATTR: Object.values(allowedAttributes).flat() })
}
