/** Code to begin with: found by words, looked at, and put into the notebook; one's own before the built-in ones. */
import './snippets.css'
import { Pencil, Plus, Trash2, X } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { t } from '../../i18n'
import { settings, useSetting } from '../../settings/store'
import { useArrival } from '../arrival'
import { Button, IconButton } from '../kit'
import { notify } from '../kit/notify'
import { StillSource } from '../history/StillSource'
import { useChrome, useDesk, useMay } from '../notebook/hooks'
import { keep, kept, type OwnSnippet, ownSnippets, remove } from './own'
import SnippetDialog from './SnippetDialog'
import { found, SNIPPETS } from './snippets'

export default function SnippetsPanel() {
  const shown = useChrome((chrome) => chrome.side === 'snippets')
  return shown ? <Snippets /> : null
}

function Snippets() {
  const desk = useDesk()
  const close = () => desk.chrome.setState({ side: null })
  const panel = useArrival(true, close, 'input')
  const all = useSetting((now) => now)
  const mine = useMemo(() => ownSnippets(all), [all])
  const [asked, setAsked] = useState('')
  const [edited, setEdited] = useState<OwnSnippet>()
  const builtIn = SNIPPETS.map((snippet) => ({ ...snippet, name: t(snippet.name), words: `${snippet.name} ${snippet.words}` }))
  const own = found(asked, mine.map((snippet) => ({ ...snippet, words: '' })))
  const others = found(asked, builtIn)
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-left snippets" aria-label={t('Code snippets')}>
      <div className="panel-head">
        <h2>{t('Code snippets')}</h2>
        <IconButton label={t('Close snippets')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      <input className="panel-filter" aria-label={t('Search')} placeholder={t('Search')} value={asked} onChange={(event) => setAsked(event.target.value)} />
      {own.length + others.length === 0 && <p className="panel-note">{t('No snippet has these words.')}</p>}
      {mine.length === 0 && asked === '' && <p className="panel-note">{t('Keep your own here: “Save as a snippet…” in the menu of a cell.')}</p>}
      {own.length > 0 && (
        <>
          <h3 className="snippets-of">{t('Your snippets')}</h3>
          <List snippets={own}>
            {(snippet) => (
              <>
                <Button small weight="ghost" icon={<Pencil size={14} aria-hidden />} onClick={() => setEdited(snippet)}>
                  {t('Edit')}
                </Button>
                <Button small weight="ghost" icon={<Trash2 size={14} aria-hidden />} onClick={() => take(snippet)}>
                  {t('Delete')}
                </Button>
              </>
            )}
          </List>
          {others.length > 0 && <h3 className="snippets-of">{t('Built in')}</h3>}
        </>
      )}
      <List snippets={others} />
      {edited && <SnippetDialog open snippet={edited} own onClose={() => setEdited(undefined)} />}
    </aside>
  )
}

function take(snippet: OwnSnippet): void {
  remove(snippet.name)
  notify({ title: t('“{name}” was deleted', { name: snippet.name }), action: { label: t('Undo'), run: () => keep(kept(ownSnippets(settings.getState()), snippet)) } })
}

function List({ snippets, children }: { snippets: readonly OwnSnippet[]; children?: (snippet: OwnSnippet) => ReactNode }) {
  const desk = useDesk()
  const editable = useMay('write')
  const [open, setOpen] = useState<string | null>(null)
  return (
    <ul className="snippets-list">
      {snippets.map((snippet) => (
        <li key={snippet.name}>
          <button type="button" className="snippet-name" aria-expanded={open === snippet.name} onClick={() => setOpen(open === snippet.name ? null : snippet.name)}>
            {snippet.name}
          </button>
          {open === snippet.name && (
            <div className="snippet-open">
              <StillSource source={snippet.source} grammar="python" />
              <div className="snippet-actions">
                {editable && (
                  <Button small weight="soft" icon={<Plus size={14} aria-hidden />} onClick={() => desk.insert('code', desk.view.getState().focused ?? desk.outline.current().at(-1) ?? null, snippet.source)}>
                    {t('Insert')}
                  </Button>
                )}
                {children?.(snippet)}
              </div>
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}
