/** Add a field to a form, or say anew what a field is. */
import { type FormEvent, useMemo, useState } from 'react'
import { useStore } from 'zustand'
import { type Param, parseForm } from '../../model/forms'
import { cellOf, textOf } from '../../model/notebook'
import { t } from '../../i18n'
import { Button, Dialog, Select, TextField } from '../kit'
import { useDesk } from '../notebook/hooks'
import { type AskedField, askedField } from './asked'
import { setLine } from './changing'
import { BLANK, draftOf, type FieldDraft, type FieldKind, lineOf, pastedOptions, problemOf, RANGED } from './describe'
import './forms.css'

export default function FieldDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const asked = useStore(askedField)
  return (
    <Dialog open={open && asked !== null} onClose={onClose} title={asked?.line === null ? t('Add a form field') : t('Edit the form field')}>
      {open && asked && <FieldForm asked={asked} onClose={onClose} />}
    </Dialog>
  )
}

function FieldForm({ asked, onClose }: { asked: AskedField; onClose: () => void }) {
  const desk = useDesk()
  const found = useMemo(() => {
    const cell = cellOf(desk.room.doc, asked.cell)
    const source = cell ? textOf(cell).toString() : ''
    const row = parseForm(source)?.rows.find(({ line }) => line === asked.line)
    return { param: row?.kind === 'param' ? row : null, indent: asked.line === null ? '' : /^\s*/.exec(source.split('\n')[asked.line] ?? '')![0] }
  }, [desk, asked])
  const [draft, setDraft] = useState<FieldDraft>(() => (found.param ? draftOf(found.param) : BLANK))
  const change = (part: Partial<FieldDraft>) => setDraft((now) => ({ ...now, ...part }))
  const problem = problemOf(draft)
  const kinds: readonly { readonly value: FieldKind; readonly label: string }[] = [
    { value: 'string', label: t('Text') },
    { value: 'dropdown', label: t('Dropdown') },
    { value: 'boolean', label: t('Tick box') },
    { value: 'slider', label: t('Slider') },
    { value: 'integer', label: t('Whole number') },
    { value: 'number', label: t('Number') },
    { value: 'date', label: t('Date') },
    { value: 'raw', label: t('Python expression') },
    ...(found.param ? [] : [{ value: 'markdown' as const, label: t('Note in Markdown') }]),
  ]
  const line = problem === null ? lineOf(draft, kept(draft, found.param), found.indent) : ''
  const go = (event: FormEvent) => {
    event.preventDefault()
    const cell = cellOf(desk.room.doc, asked.cell)
    if (problem !== null || !cell) return
    setLine(desk, cell, asked.line, line)
    onClose()
  }
  return (
    <form className="form-dialog" onSubmit={go}>
      <div className="field">
        <span className="field-label">{t('Kind of field')}</span>
        <Select label={t('Kind of field')} value={draft.kind} options={kinds} onChange={(kind) => change({ kind })} />
      </div>
      {draft.kind === 'markdown' ? (
        <TextField label={t('Note')} value={draft.text} onChange={(text) => change({ text })} autoFocus />
      ) : (
        <TextField label={t('Name of the variable')} value={draft.name} onChange={(name) => change({ name: name.trim() })} autoFocus {...(problem === 'name' && draft.name !== '' && { error: t('A name is made of letters, digits and _.') })} />
      )}
      {draft.kind === 'dropdown' && (
        <>
          <label className="field">
            <span className="field-label">{t('Options, one a line')}</span>
            <textarea className="field-control form-options" rows={4} value={draft.options} onChange={(event) => change({ options: pastedOptions(event.target.value) })} />
          </label>
          <label className="form-check">
            <input type="checkbox" checked={draft.allowInput} onChange={(event) => change({ allowInput: event.target.checked })} /> {t('Something else may be written as well')}
          </label>
        </>
      )}
      {RANGED.has(draft.kind) && (
        <div className="form-range">
          <TextField label={t('Least')} value={draft.min} onChange={(min) => change({ min })} />
          <TextField label={t('Most')} value={draft.max} onChange={(max) => change({ max })} />
          <TextField label={t('Step')} value={draft.step} onChange={(step) => change({ step })} />
        </div>
      )}
      {problem === 'range' && <p className="field-error">{t('These must be numbers, the least before the most.')}</p>}
      {draft.kind === 'string' && <TextField label={t('Shown while it is empty')} value={draft.placeholder} onChange={(placeholder) => change({ placeholder })} />}
      <pre className="form-line" role="group" aria-label={t('The line of code')}>{line || <span className="form-line-none">{t('The line of code comes here')}</span>}</pre>
      <div className="dialog-actions">
        <Button weight="ghost" onClick={onClose}>{t('Cancel')}</Button>
        <Button weight="primary" type="submit" disabled={problem !== null}>{asked.line === null ? t('Add') : t('Save')}</Button>
      </div>
    </form>
  )
}

/** The value a field keeps when only what is said of it changes. */
function kept(draft: FieldDraft, param: Param | null): string | null {
  if (!param) return null
  return draft.kind === 'dropdown' || draft.kind === param.type ? param.code : null
}
