/** Code to begin with: found by words, looked at, and put into the notebook. */
import './snippets.css'
import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { t } from '../../i18n'
import { Button, IconButton, TextField } from '../kit'
import { StillSource } from '../history/StillSource'
import { useChrome, useDesk, useMay } from '../notebook/hooks'
import { found } from './snippets'

export default function SnippetsPanel() {
  const shown = useChrome((chrome) => chrome.side === 'snippets')
  return shown ? <Snippets /> : null
}

function Snippets() {
  const desk = useDesk()
  const editable = useMay('write')
  const [asked, setAsked] = useState('')
  const [open, setOpen] = useState<string | null>(null)
  const list = found(asked)
  return (
    <aside className="panel panel-left snippets" aria-label={t('Code snippets')}>
      <div className="panel-head">
        <h2>{t('Code snippets')}</h2>
        <IconButton label={t('Close snippets')} icon={<X size={16} aria-hidden />} onClick={() => desk.chrome.setState({ side: null })} />
      </div>
      <TextField label={t('Search')} value={asked} onChange={setAsked} autoFocus />
      {list.length === 0 && <p className="panel-note">{t('No snippet has these words.')}</p>}
      <ul className="snippets-list">
        {list.map(({ name, source }) => (
          <li key={name}>
            <button type="button" className="snippet-name" aria-expanded={open === name} onClick={() => setOpen(open === name ? null : name)}>
              {t(name)}
            </button>
            {open === name && (
              <div className="snippet-open">
                <StillSource source={source} grammar="python" />
                {editable && (
                  <Button small weight="soft" icon={<Plus size={14} aria-hidden />} onClick={() => desk.insert('code', desk.view.getState().focused ?? desk.outline.current().at(-1) ?? null, source)}>
                    {t('Insert')}
                  </Button>
                )}
              </div>
            )}
          </li>
        ))}
      </ul>
    </aside>
  )
}
