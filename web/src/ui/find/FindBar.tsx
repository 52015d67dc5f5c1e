/** Find and replace: a bar over the cells, which stay where they are. */
import './find.css'
import { ArrowDown, ArrowUp, CaseSensitive, ChevronRight, Regex, Replace, ReplaceAll, TextSelect, WholeWord, X } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { number } from '../../i18n/formats'
import { t } from '../../i18n'
import { shown as keys } from '../../model/shortcut'
import { mac } from '../commands/keys'
import { IconButton, Select } from '../kit'
import { useChrome, useDesk, useMay } from '../notebook/hooks'
import { type Finder, finderOf, type Kinds } from './finder'
import { FOUND_MAX, type Query } from './query'

const size = { size: 16, 'aria-hidden': true } as const

export default function FindBar() {
  const shown = useChrome((chrome) => chrome.find)
  return shown === null ? null : <Bar asked={shown} />
}

function Bar({ asked }: { asked: { readonly replacing: boolean } }) {
  const desk = useDesk()
  const finder = finderOf(desk)
  const { query, kinds, scope, replacement, problem } = useStore(finder.state)
  const editable = useMay('write')
  const input = useRef<HTMLInputElement>(null)
  const before = useRef<HTMLElement>(null)
  const replacing = asked.replacing && editable

  useEffect(() => {
    finder.open()
    return () => finder.close()
  }, [finder])
  // Each asking is another object: the selected words are then looked for.
  useEffect(() => {
    const words = selectedWords(desk)
    if (words !== null) finder.ask({ query: { ...finder.state.getState().query, text: words } })
    if (document.activeElement instanceof HTMLElement && document.activeElement.closest('.find') === null) before.current = document.activeElement
    input.current?.focus()
    input.current?.select()
  }, [asked, desk, finder])

  const close = () => {
    desk.chrome.setState({ find: null })
    if (!finder.enter()) before.current?.focus({ preventScroll: true })
  }
  const ask = (change: Partial<Query>) => finder.ask({ query: { ...query, ...change } })
  const narrow = () => finder.ask({ scope: scope === null ? finder.selection() : null })
  const pressed = (event: KeyboardEvent) => {
    const act = keyed(event, { close, step: (by) => finder.step(by), toggle: (what) => ask({ [what]: !query[what] }), narrow, replacing: () => desk.chrome.setState({ find: { replacing: !replacing } }) })
    if (!act) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }
  return (
    <div className="find-place">
      <div className="find" role="search" aria-label={t('Find and replace')} onKeyDown={pressed}>
        {editable && (
          <IconButton
            className={replacing ? 'find-more find-more-open' : 'find-more'}
            label={replacing ? t('Find only') : t('Replace as well')}
            shortcut={keys('Mod+H', mac)}
            icon={<ChevronRight {...size} />}
            onClick={() => desk.chrome.setState({ find: { replacing: !replacing } })}
          />
        )}
        <div className="find-rows">
          <div className="find-row">
            <label className="find-field" data-bad={problem !== null || undefined}>
              <input
                ref={input}
                type="text"
                aria-label={t('Find')}
                placeholder={t('Find')}
                value={query.text}
                spellCheck={false}
                autoComplete="off"
                aria-invalid={problem !== null || undefined}
                aria-describedby="find-count"
                onChange={(event) => ask({ text: event.target.value })}
                onKeyDown={(event) => {
                  if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
                  event.preventDefault()
                  finder.step(event.shiftKey ? -1 : 1)
                }}
              />
              <Toggle label={t('Match case')} shortcut={keys('Alt+C', mac)} on={query.matchCase} icon={<CaseSensitive {...size} />} onToggle={() => ask({ matchCase: !query.matchCase })} />
              <Toggle label={t('Whole words')} shortcut={keys('Alt+W', mac)} on={query.wholeWord} icon={<WholeWord {...size} />} onToggle={() => ask({ wholeWord: !query.wholeWord })} />
              <Toggle label={t('Regular expression')} shortcut={keys('Alt+R', mac)} on={query.regex} icon={<Regex {...size} />} onToggle={() => ask({ regex: !query.regex })} />
            </label>
            <div className="find-buttons">
              <IconButton label={t('Previous match')} shortcut={keys('Shift+Enter', mac)} icon={<ArrowUp {...size} />} onClick={() => finder.step(-1)} />
              <IconButton label={t('Next match')} shortcut="Enter" icon={<ArrowDown {...size} />} onClick={() => finder.step(1)} />
              <IconButton label={t('Close find')} shortcut="Esc" icon={<X {...size} />} onClick={close} />
            </div>
          </div>
          {replacing && <ReplaceRow finder={finder} replacement={replacement} />}
          <div className="find-row find-where">
            <Count finder={finder} />
            <Toggle label={t('In selection')} shortcut={keys('Alt+L', mac)} on={scope !== null} icon={<TextSelect {...size} />} onToggle={narrow} />
            <Select<Kinds>
              label={t('Where to look')}
              value={kinds}
              options={[
                { value: 'all', label: t('All cells') },
                { value: 'code', label: t('Code only') },
                { value: 'text', label: t('Text only') },
              ]}
              onChange={(kinds) => finder.ask({ kinds })}
            />
          </div>
        </div>
      </div>
    </div>
  )
}

function ReplaceRow({ finder, replacement }: { finder: Finder; replacement: string }) {
  const none = useStore(finder.state, ({ matches }) => matches.length === 0)
  return (
    <div className="find-row">
      <label className="find-field">
        <input
          type="text"
          aria-label={t('Replace with')}
          placeholder={t('Replace with')}
          value={replacement}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => finder.ask({ replacement: event.target.value })}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
            event.preventDefault()
            void (event.ctrlKey || event.metaKey ? finder.replaceAll() : finder.replace())
          }}
        />
      </label>
      <div className="find-buttons">
        <IconButton label={t('Replace')} shortcut="Enter" icon={<Replace {...size} />} disabled={none} onClick={() => void finder.replace()} />
        <IconButton label={t('Replace all')} shortcut={keys('Mod+Enter', mac)} icon={<ReplaceAll {...size} />} disabled={none} onClick={() => void finder.replaceAll()} />
      </div>
    </div>
  )
}

function Count({ finder }: { finder: Finder }) {
  const words = useStore(finder.state, ({ query, problem, matches, current, capped }) => {
    if (problem !== null) return problem
    if (query.text === '') return ''
    if (matches.length === 0) return t('Nothing found')
    const count = capped ? `${number(FOUND_MAX)}+` : number(matches.length)
    return current < 0 ? t('{count} found', { count }) : t('{at} of {count}', { at: number(current + 1), count })
  })
  const bad = useStore(finder.state, ({ problem }) => problem !== null)
  return (
    <span id="find-count" role="status" aria-label={t('Found')} className={bad ? 'find-count find-bad' : 'find-count'}>
      {words}
    </span>
  )
}

function Toggle({ label, shortcut, on, icon, onToggle }: { label: string; shortcut: string; on: boolean; icon: React.ReactNode; onToggle: () => void }) {
  return <IconButton className="find-toggle" label={label} shortcut={shortcut} pressed={on} icon={icon} onMouseDown={(event) => event.preventDefault()} onClick={onToggle} />
}

interface Acts {
  readonly close: () => void
  readonly step: (by: -1 | 1) => void
  readonly toggle: (what: 'matchCase' | 'wholeWord' | 'regex') => void
  readonly narrow: () => void
  readonly replacing: () => void
}

/** The bar's own keys; all others are the browser's, among them Ctrl+F a second time. */
function keyed({ key, code, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent, acts: Acts): (() => void) | null {
  const mod = ctrlKey || metaKey
  if (key === 'Escape') return acts.close
  if (key === 'F3' || (mod && code === 'KeyG')) return () => acts.step(shiftKey ? -1 : 1)
  if (mod && code === 'KeyH') return acts.replacing
  if (!altKey || mod) return null
  if (code === 'KeyC') return () => acts.toggle('matchCase')
  if (code === 'KeyW') return () => acts.toggle('wholeWord')
  if (code === 'KeyR') return () => acts.toggle('regex')
  return code === 'KeyL' ? acts.narrow : null
}

const WORDS_MAX = 200

/** What is selected in the text, when it is a word or a few of one line. */
function selectedWords(desk: ReturnType<typeof useDesk>): string | null {
  const { focused, editing } = desk.view.getState()
  const view = focused === null || !editing ? undefined : desk.editors.getState().get(focused)
  if (!view) return null
  const { from, to } = view.state.selection.main
  const words = view.state.sliceDoc(from, Math.min(to, from + WORDS_MAX + 1))
  return words === '' || words.includes('\n') || words.length > WORDS_MAX ? null : words
}
