/** The form of a code cell: its title, its notes and its fields. What is set here is written into the code. */
import './forms.css'
import { Code, Pencil, Plus } from 'lucide-react'
import { useDeferredValue, useMemo } from 'react'
import { useStore } from 'zustand'
import { type CellMap, textOf } from '../../model/notebook'
import type { FormMode } from '../../model/formMark'
import { type Form, parseForm } from '../../model/forms'
import type { CellId } from '../../model/wire'
import { t } from '../../i18n'
import { Markdown } from '../../outputs/Markdown'
import { IconButton } from '../kit'
import { useDesk, useEditable, useText } from '../notebook/hooks'
import { askForField } from './asked'
import { Field } from './Field'
import { shownCode, toggleCode } from './shownCode'

export default function CellForm({ id, cell, mode }: { id: CellId; cell: CellMap; mode: FormMode }) {
  const desk = useDesk()
  const source = useDeferredValue(useText(textOf(cell)))
  const form = useMemo(() => parseForm(source), [source])
  const editable = useEditable(cell)
  const open = useStore(shownCode, (cells) => cells.has(id))
  if (!form) return null
  const hidden = mode === 'form' && !open
  return (
    <section className="form" aria-label={form.title?.text ? t('Form: {title}', { title: form.title.text }) : t('Form')} {...(form.title?.width && mode !== 'form' && { style: { width: form.title.width } })}>
      <div className="form-head" onDoubleClick={mode === 'form' ? () => toggleCode(id) : undefined}>
        {form.title?.text ? <strong className="form-title">{form.title.text}</strong> : <span className="form-title" />}
        <span className="form-tools">
          {editable && <IconButton label={t('Add a form field')} icon={<Plus size={16} aria-hidden />} onClick={() => askForField(desk, id, null)} />}
          {mode === 'form' && <IconButton label={hidden ? t('Show code') : t('Hide code')} icon={<Code size={16} aria-hidden />} pressed={!hidden} onClick={() => toggleCode(id)} />}
        </span>
      </div>
      <Rows id={id} cell={cell} form={form} editable={editable} />
    </section>
  )
}

function Rows({ id, cell, form, editable }: { id: CellId; cell: CellMap; form: Form; editable: boolean }) {
  const desk = useDesk()
  return form.rows.map((row) =>
    row.kind === 'markdown' ? (
      <div key={`${row.line} note`} className="form-note">
        <Markdown source={row.text} />
      </div>
    ) : (
      <div key={`${row.line} ${row.name}`} className="form-row">
        <Field id={id} cell={cell} form={form} param={row} editable={editable} />
        {editable && <IconButton label={t('Edit the field {name}', { name: row.name })} icon={<Pencil size={14} aria-hidden />} onClick={() => askForField(desk, id, row.line)} />}
      </div>
    ),
  )
}
