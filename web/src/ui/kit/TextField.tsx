/** A labelled line of text, with its hint and its error tied to it. */
import { Field } from '@base-ui/react/field'
import type { HTMLInputTypeAttribute, ReactNode } from 'react'

export interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly type?: HTMLInputTypeAttribute
  readonly hint?: ReactNode
  readonly error?: string | undefined
  readonly placeholder?: string
  readonly autoComplete?: string
  readonly autoFocus?: boolean
  readonly selectOnFocus?: boolean
  readonly required?: boolean
  readonly disabled?: boolean
  readonly maxLength?: number
  readonly minLength?: number
}

export function TextField({ label, value, onChange, type = 'text', hint, error, selectOnFocus = false, disabled = false, ...rest }: TextFieldProps) {
  return (
    <Field.Root className="field" invalid={error !== undefined} disabled={disabled}>
      <Field.Label className="field-label">{label}</Field.Label>
      <Field.Control
        {...rest}
        className="field-control"
        type={type}
        value={value}
        onValueChange={(next) => onChange(next)}
        onFocus={selectOnFocus ? (event) => selectStem(event.target as HTMLInputElement) : undefined}
        spellCheck={type === 'text' ? undefined : false}
      />
      {hint !== undefined && <Field.Description className="field-hint">{hint}</Field.Description>}
      {error !== undefined && (
        <Field.Error className="field-error" match>
          {error}
        </Field.Error>
      )}
    </Field.Root>
  )
}

/** A file's name without its ending, which is what people mean to change. */
function selectStem(input: HTMLInputElement): void {
  const dot = input.value.lastIndexOf('.')
  input.setSelectionRange(0, dot > 0 ? dot : input.value.length)
}
