/** How the page looks and behaves for this person. What is chosen holds at once, and goes with their account. */
import './settings.css'
import { type ReactNode, useEffect, useState } from 'react'
import { Link } from 'wouter'
import { useHistoryState } from 'wouter/use-browser-location'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { telling } from '../../settings/account'
import { set, useSetting } from '../../settings/store'
import { useIsGuest } from '../../ui/account'
import { score } from '../../ui/commands/ranking'
import { type Theme, setTheme, useTheme } from '../../ui/kit'
import KeyEditor from '../../ui/settings/KeyEditor'
import { Choice, Field, Switch, whole } from '../../ui/settings/rows'
import { TopBar } from '../../ui/TopBar'
import { NotifyAfter } from './NotifyAfter'

const FONT_SIZE = whole(8, 32)
const RULERS_MAX = 8
const RULER_MAX = 400

function rulersOf(text: string): readonly number[] | null {
  const parts = text.split(/[\s,]+/).filter(Boolean)
  const columns = parts.map(whole(1, RULER_MAX))
  return parts.length <= RULERS_MAX && columns.every((column) => column !== null) ? (columns as number[]) : null
}
const rulersText = (columns: readonly number[]) => columns.join(', ')
const fontOf = (text: string) => (text.length <= 200 ? text : null)
const same = (text: string) => text

export default function SettingsPage() {
  const [query, setQuery] = useState('')
  const guest = useIsGuest()
  const came = useHistoryState<{ from?: string } | null>()
  useEffect(() => {
    document.title = `${t('Settings')} – Collegium`
    // The address may name a section, which is there only now.
    document.getElementById(location.hash.slice(1))?.scrollIntoView()
  }, [])
  return (
    <div className="settings">
      {guest ? <header className="settings-guest"><Link href={came?.from ?? '/'}>{t('Back')}</Link></header> : <TopBar />}
      <main className="settings-main">
        <div className="settings-head">
          <h1>{t('Settings')}</h1>
          {came?.from !== undefined && !guest && (
            <Link href={came.from} className="button button-soft">
              {t('Back to the notebook')}
            </Link>
          )}
          <Told />
          <input type="search" className="field-control" aria-label={t('Search the settings')} placeholder={t('Search the settings')} autoComplete="off" spellCheck={false} value={query} onChange={(event) => setQuery(event.target.value)} />
        </div>
        <nav className="settings-nav" aria-label={t('Sections')}>
          <a href="#site">{t('Site')}</a>
          <a href="#editor">{t('Editor')}</a>
          <a href="#accessibility">{t('Accessibility')}</a>
          <a href="#keys">{t('Keys')}</a>
        </nav>
        <Rows query={query} />
      </main>
    </div>
  )
}

/** Whether the account has them. */
function Told() {
  const told = useStore(telling)
  const words = {
    alone: t('Kept in this browser.'),
    told: t('Kept for your account.'),
    telling: t('Saving…'),
    failed: told.state === 'failed' ? t('Kept in this browser for now: {why}', { why: told.why }) : '',
  }[told.state]
  return (
    <p className="settings-told" role="status" aria-label={t('Settings are')}>
      {words}
    </p>
  )
}

interface Shown {
  readonly name: string
  readonly row: ReactNode
}

function Rows({ query }: { query: string }) {
  const { site: { language }, editor, accessibility } = useSetting((all) => all)
  const theme = useTheme()
  const site: readonly Shown[] = [
    {
      name: t('Theme'),
      row: (
        <Choice<Theme>
          label={t('Theme')}
          hint={t('Of this browser.')}
          value={theme}
          options={[
            { value: 'light', label: t('Light') },
            { value: 'dark', label: t('Dark') },
            { value: 'system', label: t('As the system') },
          ]}
          onChange={setTheme}
        />
      ),
    },
    {
      name: t('Language'),
      row: (
        <Choice
          label={t('Language')}
          hint={t('Of the words of the page; it is loaded again.')}
          value={language}
          options={[
            { value: 'system', label: t('As the browser') },
            { value: 'en', label: t('English') },
            { value: 'de', label: t('Deutsch') },
          ]}
          onChange={(chosen) => {
            set({ site: { language: chosen } })
            location.reload()
          }}
        />
      ),
    },
    { name: t('Desktop notification when a long run ends'), row: <NotifyAfter /> },
  ]
  const code: readonly Shown[] = [
    { name: t('Font size'), row: <Field label={t('Font size')} hint={t('In pixels, 8 to 32.')} value={editor.fontSize} show={String} read={FONT_SIZE} wrong={t('A whole number from 8 to 32.')} onChange={(fontSize) => set({ editor: { fontSize } })} /> },
    { name: t('Font of code'), row: <Field label={t('Font of code')} hint={t('One that is installed on this computer; nothing: Google Sans Code.')} value={editor.fontFamily} show={same} read={fontOf} wrong={t('At most 200 letters.')} onChange={(fontFamily) => set({ editor: { fontFamily } })} wide /> },
    toggle('ligatures', t('Ligatures'), t('Signs like != drawn as one, where the font has them.')),
    {
      name: t('Indentation'),
      row: (
        <Choice
          label={t('Indentation')}
          hint={t('What Tab inserts.')}
          value={String(editor.indent) as '2' | '4'}
          options={[
            { value: '2', label: t('2 spaces') },
            { value: '4', label: t('4 spaces') },
          ]}
          onChange={(indent) => set({ editor: { indent: indent === '2' ? 2 : 4 } })}
        />
      ),
    },
    { name: t('Rulers'), row: <Field label={t('Rulers')} hint={t('Columns at which a thin line stands, such as 80, 120.')} value={editor.rulers} show={rulersText} read={rulersOf} wrong={t('At most 8 whole numbers from 1 to 400.')} onChange={(rulers) => set({ editor: { rulers } })} /> },
    toggle('lineNumbers', t('Line numbers')),
    toggle('wrap', t('Wrap long lines')),
    toggle('folding', t('Fold code'), t('A sign beside what can be folded.')),
    toggle('guides', t('Indentation guides'), t('A thin line at every step of the indentation.')),
    toggle('closeBrackets', t('Close brackets and quotes')),
    toggle('completeWhileTyping', t('Complete while typing'), t('Else when asked, with Tab or Ctrl+Space.')),
    toggle('acceptOnEnter', t('Enter takes a completion'), t('Else Tab alone does.')),
    {
      name: t('Problems in the code'),
      row: (
        <Choice
          label={t('Problems in the code')}
          value={editor.diagnostics}
          options={[
            { value: 'off', label: t('Not shown') },
            { value: 'syntax', label: t('Syntax') },
            { value: 'types', label: t('Syntax and types') },
          ]}
          onChange={(diagnostics) => set({ editor: { diagnostics } })}
        />
      ),
    },
  ]
  function toggle(name: 'ligatures' | 'lineNumbers' | 'wrap' | 'folding' | 'guides' | 'closeBrackets' | 'completeWhileTyping' | 'acceptOnEnter', label: string, hint?: string): Shown {
    return { name: label, row: <Switch label={label} hint={hint} value={editor[name]} onChange={(value) => set({ editor: { [name]: value } })} /> }
  }
  const fit: readonly Shown[] = [
    {
      name: t('Contrast'),
      row: (
        <Choice
          label={t('Contrast')}
          value={accessibility.contrast}
          options={[
            { value: 'system', label: t('As the system') },
            { value: 'more', label: t('More') },
          ]}
          onChange={(contrast) => set({ accessibility: { contrast } })}
        />
      ),
    },
    {
      name: t('Motion'),
      row: (
        <Choice
          label={t('Motion')}
          value={accessibility.motion}
          options={[
            { value: 'system', label: t('As the system') },
            { value: 'less', label: t('Less') },
          ]}
          onChange={(motion) => set({ accessibility: { motion } })}
        />
      ),
    },
    { name: t('Tell a screen reader what happens'), row: <Switch label={t('Tell a screen reader what happens')} hint={t('When a cell ends or fails, and who comes and goes.')} value={accessibility.announce} onChange={(announce) => set({ accessibility: { announce } })} /> },
    { name: t('Tab leaves the text'), row: <Switch label={t('Tab leaves the text')} hint={t('Instead of indenting it.')} value={accessibility.tabMovesFocus} onChange={(tabMovesFocus) => set({ accessibility: { tabMovesFocus } })} /> },
  ]
  const sections = [
    { id: 'site', title: t('Site'), rows: site },
    { id: 'editor', title: t('Editor'), rows: code },
    { id: 'accessibility', title: t('Accessibility'), rows: fit },
  ]
  const found = sections.map((section) => ({ ...section, rows: section.rows.filter(({ name }) => score(query, `${section.title} ${name}`) !== null) }))
  const keys = score(query, `${t('Keys')} ${t('Keyboard shortcuts')}`) !== null
  return (
    <>
      {found
        .filter(({ rows }) => rows.length > 0)
        .map(({ id, title, rows }) => (
          <Section key={id} id={id} title={title}>
            {rows.map(({ name, row }) => (
              <div key={name}>{row}</div>
            ))}
          </Section>
        ))}
      {keys && (
        <Section id="keys" title={t('Keys')}>
          <KeyEditor />
        </Section>
      )}
      {!keys && found.every(({ rows }) => rows.length === 0) && <p role="status">{t('No setting has that name.')}</p>}
    </>
  )
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section id={id} className="settings-section" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  )
}
