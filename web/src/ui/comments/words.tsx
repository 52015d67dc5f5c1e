/** A comment's text as people read it: strangers wrote it, so nothing in it becomes an element but what is made here. */
import type { ReactNode } from 'react'
import { at as written } from '../../i18n/formats'
import { ago } from '../../i18n/moments'
import type { Mentionable } from './api'

const PIECES = /`([^`\n]+)`|\*\*([^*\s](?:[^*\n]*[^*\s])?)\*\*|(https?:\/\/[^\s<>"'`]+)|@([^\s@<>()[\],;:"'\\]{1,64}@[\w-]+(?:\.[\w-]+)*)/gu

export function Words({ text, mentions }: { text: string; mentions: readonly Mentionable[] }) {
  const known = new Map(mentions.map((person) => [person.email.toLowerCase(), person]))
  const parts: ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(PIECES)) {
    const [all, code, strong, link, address] = match
    const person = address === undefined ? undefined : known.get(address.toLowerCase())
    if (address !== undefined && !person) continue
    parts.push(text.slice(from, match.index))
    from = match.index + all.length
    const key = match.index
    if (code !== undefined) parts.push(<code key={key}>{code}</code>)
    else if (strong !== undefined) parts.push(<strong key={key}>{strong}</strong>)
    else if (link !== undefined) {
      const address = link.replace(/[.,;:!?)\]]+$/, '')
      from -= link.length - address.length
      parts.push(<a key={key} href={address} target="_blank" rel="noopener noreferrer nofollow">{address}</a>)
    } else if (person) parts.push(<span key={key} className="mention" title={person.email}>@{person.name}</span>)
  }
  parts.push(text.slice(from))
  return <p className="comment-text" dir="auto">{parts}</p>
}

export function Ago({ at }: { at: number }) {
  return <time dateTime={new Date(at).toISOString()} title={written('moment', at)}>{ago(at, Date.now())}</time>
}
