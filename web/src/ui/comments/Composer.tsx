/** Where a comment is written: a field that grows, completes people after an @, and sends with Ctrl+Enter. */
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { t } from '../../i18n'
import { ApiError } from '../../api/client'
import { shown } from '../../model/shortcut'
import { Avatar, Button } from '../kit'
import { mac } from '../commands/keys'
import { type Mentionable, talk } from './api'

const TEXT_MAX = 4000
const ASK_AFTER_MS = 120

interface ComposerProps {
  readonly notebook: string
  readonly label: string
  readonly placeholder?: string
  readonly initial: string
  readonly send: string
  readonly autoFocus?: boolean
  readonly busy?: boolean
  readonly error?: string | undefined
  /** What is sent stays in the field, for as long as that is there. */
  readonly keep?: boolean
  readonly onChange?: (text: string) => void
  readonly onSend: (text: string) => void
  readonly onCancel?: (() => void) | undefined
}

export function Composer({ notebook, label, placeholder, initial, send, autoFocus = false, busy = false, error, keep = false, onChange, onSend, onCancel }: ComposerProps) {
  const [text, setText] = useState(initial)
  const field = useRef<HTMLTextAreaElement>(null)
  const list = useId()
  const { people, at, choose, move, active, dismiss } = useMentions(notebook, field, text, change)

  function change(next: string, caret?: number): void {
    setText(next)
    onChange?.(next)
    if (caret !== undefined) requestAnimationFrame(() => field.current?.setSelectionRange(caret, caret))
  }
  useEffect(() => {
    if (autoFocus) field.current?.focus()
  }, [autoFocus])
  const go = () => {
    if (text.trim() === '' || busy) return
    onSend(text)
    if (!keep) setText('')
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (people.length > 0 && ['ArrowDown', 'ArrowUp', 'Enter', 'Tab', 'Escape'].includes(event.key)) {
      event.preventDefault()
      event.stopPropagation()
      if (event.key === 'Escape') dismiss()
      else if (event.key === 'ArrowDown') move(1)
      else if (event.key === 'ArrowUp') move(-1)
      else choose(people[active]!)
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      go()
    } else if (event.key === 'Escape' && onCancel) {
      event.preventDefault()
      event.stopPropagation()
      onCancel()
    }
  }
  const written = text.trim() !== ''
  return (
    <div className="composer">
      <div className="composer-field" data-text={`${text}\n`}>
        <textarea
          ref={field}
          aria-label={label}
          placeholder={placeholder}
          rows={1}
          value={text}
          maxLength={TEXT_MAX}
          dir="auto"
          role="combobox"
          aria-expanded={people.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={people.length > 0 ? `${list}-${active}` : undefined}
          onChange={(event) => change(event.target.value)}
          onKeyDown={pressed}
        />
      </div>
      <ul id={list} role="listbox" aria-label={t('People')} className="composer-people" hidden={people.length === 0} data-at={at}>
        {people.map((person, index) => (
          <li key={person.id} id={`${list}-${index}`} role="option" aria-selected={index === active} onMouseDown={(event) => (event.preventDefault(), choose(person))}>
            <Avatar name={person.name} color="" size={22} decorative />
            <span><strong>{person.name}</strong> {person.email}</span>
          </li>
        ))}
      </ul>
      {error !== undefined && <p className="comment-failure" role="alert">{error}</p>}
      {(written || onCancel) && (
        <div className="composer-actions">
          {onCancel && <Button small weight="ghost" onClick={onCancel}>{t('Cancel')}</Button>}
          <Button small weight="primary" busy={busy} disabled={!written} title={shown('Mod+Enter', mac)} onClick={go}>{send}</Button>
        </div>
      )}
    </div>
  )
}

/** The word after an @ at the cursor, and whom it may mean. */
function useMentions(notebook: string, field: React.RefObject<HTMLTextAreaElement | null>, text: string, change: (text: string, caret: number) => void) {
  const [people, setPeople] = useState<readonly Mentionable[]>([])
  const [active, setActive] = useState(0)
  const [dismissed, setDismissed] = useState<string | null>(null)
  const caret = field.current?.selectionStart ?? text.length
  const query = /(?:^|[\s(])@([^\s@()]{0,40}(?:@[^\s@()]{0,40})?)$/u.exec(text.slice(0, caret))?.[1] ?? null
  const at = query === null ? -1 : caret - query.length - 1
  useEffect(() => {
    setActive(0)
    if (query === null || dismissed === query) return setPeople([])
    const given = new AbortController()
    const timer = setTimeout(() => {
      talk.people(notebook, query, given.signal).then(setPeople, (error: unknown) => {
        // Completion is a help; without it an address can be typed.
        if (!(error instanceof ApiError)) throw error
        if (error.code !== 'cancelled') setPeople([])
      })
    }, ASK_AFTER_MS)
    return () => {
      clearTimeout(timer)
      given.abort()
    }
  }, [notebook, query, dismissed])
  return {
    people: query === null ? [] : people,
    at,
    active,
    move: (by: 1 | -1) => setActive((now) => (now + by + people.length) % people.length),
    dismiss: () => setDismissed(query),
    choose: (person: Mentionable) => {
      const before = `${text.slice(0, at)}@${person.email} `
      setPeople([])
      change(before + text.slice(caret), before.length)
    },
  }
}
