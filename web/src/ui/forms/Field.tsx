/** One field of a form, as its description says. */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { isOn, type Form, optionCode, type Param, shownValue, written } from '../../model/forms'
import type { CellMap } from '../../model/notebook'
import type { Relaxed } from '../../model/relaxed'
import type { CellId } from '../../model/wire'
import { t } from '../../i18n'
import { Select } from '../kit'
import { useDesk } from '../notebook/hooks'
import { runAgain, setValue } from './changing'

interface FieldProps {
  readonly id: CellId
  readonly cell: CellMap
  readonly form: Form
  readonly param: Param
  readonly editable: boolean
}

export function Field({ id, cell, form, param, editable }: FieldProps) {
  const desk = useDesk()
  const own = useId()
  const change = (code: string) => {
    if (setValue(desk, cell, param, code)) runAgain(desk, id, form)
  }
  if (param.options && !param.allowInput) {
    return (
      <Named param={param}>
        <Choice param={param} editable={editable} onChange={change} />
      </Named>
    )
  }
  if (param.type === 'boolean') {
    return (
      <Named param={param} of={own}>
        <input id={own} type="checkbox" className="form-tick" checked={isOn(param)} disabled={!editable} onChange={(event) => change(event.target.checked ? 'True' : 'False')} />
      </Named>
    )
  }
  return (
    <Named param={param} of={own}>
      <Written param={param} own={own} editable={editable} onChange={change} />
    </Named>
  )
}

function Named({ param, of, children }: { param: Param; of?: string; children: ReactNode }) {
  return (
    <>
      {of ? <label className="form-name" htmlFor={of}>{param.name}:</label> : <span className="form-name">{param.name}:</span>}
      <span className="form-value">{children}</span>
    </>
  )
}

const labelOf = (option: Relaxed): string => (typeof option === 'string' ? option : JSON.stringify(option))

function Choice({ param, editable, onChange }: { param: Param; editable: boolean; onChange: (code: string) => void }) {
  const options = (param.options ?? []).map((option, at) => ({ value: String(at), label: labelOf(option) || t('(empty)'), code: optionCode(param, option) }))
  const at = options.findIndex(({ code, label }) => code === param.code || label === shownValue(param))
  // What stands in the code need not be among the options: it is shown, and stays until another is chosen.
  const all = at === -1 ? [{ value: 'own', label: shownValue(param), code: param.code }, ...options] : options
  return <Select label={param.name} value={at === -1 ? 'own' : String(at)} options={all} disabled={!editable} onChange={(value) => onChange(all.find((one) => one.value === value)!.code)} />
}

const KINDS = { string: 'text', raw: 'text', date: 'date', number: 'number', integer: 'number', slider: 'range', boolean: 'text' } as const

function Written({ param, own, editable, onChange }: { param: Param; own: string; editable: boolean; onChange: (code: string) => void }) {
  const value = shownValue(param)
  const [draft, setDraft] = useState<string | null>(null)
  const box = useRef<HTMLInputElement>(null)
  // What colleagues write is shown at once, but not into the hands of who types here.
  useEffect(() => {
    if (document.activeElement !== box.current) setDraft(null)
  }, [value])
  const shown = draft ?? value
  const bad = draft !== null && written(param, draft) === null
  const slider = param.type === 'slider'
  const list = param.options ? `${own}-list` : undefined
  return (
    <>
      <input
        ref={box}
        id={own}
        type={KINDS[param.type]}
        className={slider ? 'form-slider' : 'form-input'}
        value={slider && shown === '' ? '0' : shown}
        disabled={!editable}
        placeholder={param.placeholder}
        spellCheck={false}
        aria-invalid={bad || undefined}
        {...(list !== undefined && { list })}
        {...(param.min !== null ? { min: param.min } : slider && { min: 0 })}
        {...(param.max !== null ? { max: param.max } : slider && { max: 100 })}
        step={param.step ?? (param.type === 'number' ? 'any' : 1)}
        onChange={(event) => {
          setDraft(event.target.value)
          const code = written(param, event.target.value)
          if (code !== null) onChange(code)
        }}
        onBlur={() => setDraft(null)}
      />
      {slider && <output htmlFor={own} className="form-number">{shown}</output>}
      {list !== undefined && (
        <datalist id={list}>
          {param.options!.map((option, at) => <option key={at} value={labelOf(option)} />)}
        </datalist>
      )}
      {bad && <span className="form-bad" role="alert">{t('This does not fit the field, and is not written into the code.')}</span>}
    </>
  )
}
