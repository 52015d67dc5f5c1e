/** application/json and every type that is JSON underneath: a tree with a search over it. */
import { useMemo } from 'react'
import { isBlob } from '../model/wire'
import { type DrawnProps, Waiting } from './drawn'
import { JsonTree } from './JsonTree'
import { TEXT_SHOWN_MAX, useText } from './values'

export default function JsonOutput({ value, notebook }: DrawnProps) {
  const text = useText(notebook, value, 8 * TEXT_SHOWN_MAX)
  const parsed = useMemo((): unknown => {
    if (text.state !== 'ready') return undefined
    if (!isBlob(value) && typeof value !== 'string') return value
    try {
      return JSON.parse(text.text)
    } catch {
      // Cut short, or not JSON at all: shown as the text it is.
      return text.text
    }
  }, [text, value])
  return text.state === 'ready' ? <JsonTree value={parsed} searched /> : <Waiting text={text} />
}
