/** A field that names one person or group, with those whose names begin so to choose from. */
import { Users } from 'lucide-react'
import { type KeyboardEvent, useEffect, useId, useState } from 'react'
import { t } from '../../i18n'
import { type Group, type Person, sharing } from '../../api/sharing'
import { Avatar } from '../kit'

export type Choice = { readonly kind: 'person'; readonly person: Person } | { readonly kind: 'group'; readonly group: Group }

export const choiceName = (choice: Choice) => (choice.kind === 'person' ? choice.person.name : choice.group.name)
const keyOf = (choice: Choice) => (choice.kind === 'person' ? choice.person.id : choice.group.id)

export interface PeopleFieldProps {
  readonly label: string
  readonly text: string
  /** What was typed, and the choice it stands for, if one was made. */
  readonly onChange: (text: string, choice: Choice | null) => void
  readonly groups?: boolean
  readonly error?: string | undefined
  readonly autoFocus?: boolean
}

const WAIT_MS = 150

export function PeopleField({ label, text, onChange, groups = true, error, autoFocus = false }: PeopleFieldProps) {
  const id = useId()
  const [found, setFound] = useState<readonly Choice[]>([])
  const [at, setAt] = useState(0)
  const [asked, setAsked] = useState('')
  useEffect(() => {
    if (asked.trim() === '') return setFound([])
    let late = false
    const timer = setTimeout(() => {
      sharing.find(asked.trim()).then(
        ({ people, groups: sets }) => {
          if (late) return
          setAt(0)
          setFound([...people.map((person) => ({ kind: 'person' as const, person })), ...(groups ? sets.map((group) => ({ kind: 'group' as const, group })) : [])])
        },
        // Whom one knows can be named without help.
        () => !late && setFound([]),
      )
    }, WAIT_MS)
    return () => {
      late = true
      clearTimeout(timer)
    }
  }, [asked, groups])
  const close = () => {
    setFound([])
    setAsked('')
  }
  const take = (choice: Choice) => {
    close()
    onChange(choiceName(choice), choice)
  }
  const key = (event: KeyboardEvent) => {
    if (found.length === 0) return
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) setAt((at + step + found.length) % found.length)
    else if (event.key === 'Enter') take(found[at]!)
    else if (event.key === 'Escape') {
      close()
      // The dialog stays: only the list is closed.
      event.stopPropagation()
    } else return
    event.preventDefault()
  }
  return (
    <div className="field people-field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={found[at] && `${id}-${keyOf(found[at])}`}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        data-invalid={error === undefined ? undefined : ''}
        className="field-control"
        placeholder={groups ? t('Name, group or e-mail address') : t('Name or e-mail address')}
        autoComplete="off"
        spellCheck={false}
        autoFocus={autoFocus}
        maxLength={254}
        value={text}
        onChange={(event) => {
          onChange(event.target.value, null)
          setAsked(event.target.value)
        }}
        onKeyDown={key}
        onBlur={close}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={t('Suggestions')} className="people-found" hidden={found.length === 0}>
        {found.map((choice, index) => (
          <li
            key={keyOf(choice)}
            id={`${id}-${keyOf(choice)}`}
            role="option"
            aria-selected={index === at}
            onPointerMove={() => setAt(index)}
            onPointerDown={(event) => {
              // The field keeps the focus.
              event.preventDefault()
              take(choice)
            }}
          >
            <Face choice={choice} />
            <span className="share-person">
              <strong>{choiceName(choice)}</strong>
              <span>{choice.kind === 'person' ? choice.person.email : sizeText(choice.group.size)}</span>
            </span>
          </li>
        ))}
      </ul>
      {error !== undefined && (
        <p id={`${id}-error`} className="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

export const sizeText = (size: number) => (size === 1 ? t('Group of 1 person') : t('Group of {size} people', { size }))

export function Face({ choice }: { choice: Choice }) {
  if (choice.kind === 'person') return <Avatar name={choice.person.name} color={choice.person.color} size={34} decorative />
  return (
    <span className="share-icon">
      <Users size={17} aria-hidden />
    </span>
  )
}
