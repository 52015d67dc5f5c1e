/** The field that finds things while one types, and what narrows it down. */
import { Search, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { msg, t } from '../../i18n'
import { classes, IconButton } from '../../ui/kit'
import type { Wanted } from './useListing'

const TYPING_MS = 150
const KINDS = ['notebook', 'folder', 'file'] as const
const KIND_NAMES = { notebook: msg('Notebooks'), folder: msg('Folders'), file: msg('Files') } as const

/** What the address asks for. */
export function useWanted(): Wanted {
  const asked = new URLSearchParams(useSearch())
  const owner = asked.get('owner')
  return {
    words: asked.get('q') ?? '',
    kind: KINDS.find((kind) => kind === asked.get('kind')) ?? null,
    owner: owner === 'mine' || owner === 'others' ? owner : null,
  }
}

function addressOf({ words, kind, owner }: Wanted): string {
  const asked = new URLSearchParams({ q: words, ...(kind && { kind }), ...(owner && { owner }) })
  return `/drive/search?${asked.toString()}`
}

export function SearchField({ searching, wanted }: { searching: boolean; wanted: Wanted }) {
  const [, navigate] = useLocation()
  const [text, setText] = useState(wanted.words)
  const field = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    if (document.activeElement !== field.current) setText(searching ? wanted.words : '')
  }, [searching, wanted.words])
  useEffect(() => () => clearTimeout(timer.current), [])
  const look = (words: string, wait: number) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      if (words.trim() === '') return searching && navigate('/', { replace: true })
      navigate(addressOf({ ...wanted, words }), { replace: searching })
    }, wait)
  }
  const clear = () => {
    setText('')
    look('', 0)
    field.current?.focus()
  }
  return (
    <search className="drive-search">
      <Search size={18} aria-hidden />
      <input
        ref={field}
        type="search"
        aria-label={t('Search your drive')}
        placeholder={t('Search names and cells')}
        value={text}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value)
          look(event.target.value, TYPING_MS)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') look(text, 0)
          if (event.key === 'Escape' && text !== '') clear()
        }}
      />
      {text !== '' && <IconButton label={t('Clear the search')} icon={<X size={16} aria-hidden />} onClick={clear} />}
    </search>
  )
}

/** Chips, each of which keeps one kind or owner, and gives it up when pressed again. */
export function Filters({ wanted }: { wanted: Wanted }) {
  const [, navigate] = useLocation()
  const chip = (label: string, on: boolean, next: Wanted) => (
    <button key={label} type="button" className={classes('chip', on && 'chip-on')} aria-pressed={on} onClick={() => navigate(addressOf(next), { replace: true })}>
      {label}
    </button>
  )
  return (
    <div className="drive-filters" role="group" aria-label={t('Narrow down')}>
      {KINDS.map((kind) => chip(t(KIND_NAMES[kind]), wanted.kind === kind, { ...wanted, kind: wanted.kind === kind ? null : kind }))}
      {chip(t('Owned by me'), wanted.owner === 'mine', { ...wanted, owner: wanted.owner === 'mine' ? null : 'mine' })}
      {chip(t('Shared with me'), wanted.owner === 'others', { ...wanted, owner: wanted.owner === 'others' ? null : 'others' })}
    </div>
  )
}
