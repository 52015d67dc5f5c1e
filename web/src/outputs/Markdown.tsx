/** A text cell as people read it. */
import type { MimeBundle } from '../model/wire'

export interface MarkdownProps {
  readonly source: string
  readonly attachments?: Readonly<Record<string, MimeBundle>>
}

export function Markdown({ source }: MarkdownProps) {
  return <div className="markdown">{source}</div>
}
