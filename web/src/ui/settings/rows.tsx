/** The controls of the settings page: each with its name, what it does, and one value. */
import './rows.css'
import { type ReactNode, useEffect, useId, useState } from 'react'
import { Select } from '../kit'

interface RowProps {
  readonly label: string
  readonly hint?: ReactNode
}

export function Switch({ label, hint, value, disabled = false, onChange }: RowProps & { readonly value: boolean; readonly disabled?: boolean; readonly onChange: (value: boolean) => void }) {
  const id = useId()
  return (
    <label className="setting setting-switch">
      <span className="setting-words">
        <span className="setting-name">{label}</span>
        {hint !== undefined && <span id={id} className="setting-hint">{hint}</span>}
      </span>
      <input type="checkbox" role="switch" aria-label={label} aria-describedby={hint === undefined ? undefined : id} checked={value} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
    </label>
  )
}

export function Choice<Value extends string>({ label, hint, value, options, onChange }: RowProps & { readonly value: Value; readonly options: readonly { readonly value: Value; readonly label: string }[]; readonly onChange: (value: Value) => void }) {
  return (
    <div className="setting">
      <span className="setting-words">
        <span className="setting-name">{label}</span>
        {hint !== undefined && <span className="setting-hint">{hint}</span>}
      </span>
      <Select label={label} value={value} options={options} onChange={onChange} />
    </div>
  )
}

/** A number or a text that holds when it can be read; what cannot is told, and the former one stays in force. */
export function Field<Value>({ label, hint, value, show, read, wrong, onChange, wide = false }: RowProps & { readonly value: Value; readonly show: (value: Value) => string; /** Null: it is none. */ readonly read: (text: string) => Value | null; readonly wrong: string; readonly onChange: (value: Value) => void; readonly wide?: boolean }) {
  const id = useId()
  const [draft, setDraft] = useState(() => show(value))
  const text = show(value)
  useEffect(() => setDraft((now) => (read(now) !== null && show(read(now)!) === text ? now : text)), [text, read, show])
  const bad = read(draft) === null
  return (
    <div className="setting">
      <span className="setting-words">
        <label className="setting-name" htmlFor={id}>
          {label}
        </label>
        <span id={`${id}-hint`} className={bad ? 'setting-wrong' : 'setting-hint'} role={bad ? 'alert' : undefined}>
          {bad ? wrong : hint}
        </span>
      </span>
      <input
        id={id}
        className={wide ? 'field-control setting-text' : 'field-control setting-number'}
        aria-describedby={`${id}-hint`}
        aria-invalid={bad || undefined}
        data-invalid={bad || undefined}
        value={draft}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setDraft(event.target.value)
          const next = read(event.target.value)
          if (next !== null) onChange(next)
        }}
        onBlur={() => setDraft(text)}
      />
    </div>
  )
}

export const whole = (least: number, most: number) => (text: string): number | null => (/^\d{1,6}$/.test(text.trim()) && Number(text) >= least && Number(text) <= most ? Number(text) : null)
