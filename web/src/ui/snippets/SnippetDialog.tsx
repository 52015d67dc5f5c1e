/** Keep code as a snippet of one's own, or change one. */
import './dialog.css'
import { useState } from 'react'
import { number } from '../../i18n/formats'
import { t } from '../../i18n'
import { settings } from '../../settings/store'
import { Button, Dialog, TextField } from '../kit'
import { fits, keep, kept, NAME_MAX, type OwnSnippet, ownSnippets, SOURCE_MAX } from './own'

interface SnippetDialogProps {
  readonly open: boolean
  /** What is to be kept; a name is offered. */
  readonly snippet: OwnSnippet
  /** It is one's own already, under its name. */
  readonly own?: boolean
  readonly onClose: () => void
}

export default function SnippetDialog({ open, snippet, own = false, onClose }: SnippetDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={own ? t('Edit snippet') : t('Save as a snippet')} wide>
      {open && <Form snippet={snippet} own={own} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ snippet, own, onClose }: { snippet: OwnSnippet; own: boolean; onClose: () => void }) {
  const [name, setName] = useState(snippet.name)
  const [source, setSource] = useState(snippet.source)
  const [wrong, setWrong] = useState<string>()
  const written = name.trim()
  const others = ownSnippets(settings.getState()).filter((one) => !own || one.name !== snippet.name)
  const save = () => {
    const next = kept(ownSnippets(settings.getState()), { name: written, source }, own ? snippet.name : undefined)
    if (!fits(next)) return setWrong(t('There is no room for it: a snippet has at most {count} characters, and all of yours together a hundred kilobytes.', { count: number(SOURCE_MAX) }))
    keep(next)
    onClose()
  }
  return (
    <form
      className="snippet-form"
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <TextField
        label={t('Name')}
        value={name}
        onChange={setName}
        autoFocus
        selectOnFocus
        required
        maxLength={NAME_MAX}
        hint={others.some((one) => one.name === written) ? t('It takes the place of your snippet of that name.') : undefined}
      />
      <label className="field">
        <span className="field-label">{t('Code')}</span>
        <textarea className="field-control snippet-source" value={source} rows={10} spellCheck={false} onChange={(event) => setSource(event.target.value)} />
      </label>
      {wrong !== undefined && (
        <p className="field-error" role="alert">
          {wrong}
        </p>
      )}
      <div className="dialog-actions">
        <Button weight="ghost" onClick={onClose}>
          {t('Cancel')}
        </Button>
        <Button weight="primary" type="submit" disabled={written === '' || source.trim() === ''}>
          {t('Save')}
        </Button>
      </div>
    </form>
  )
}
