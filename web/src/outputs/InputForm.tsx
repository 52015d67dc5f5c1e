/** The line in which a cell asks a person for something: input(), or getpass without showing it. */
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { t } from '../i18n'
import type { InputPrompt } from '../model/wire'

export function InputForm({ input, onInput }: { input: InputPrompt; onInput: (value: string) => void }) {
  const [value, setValue] = useState('')
  const [sent, setSent] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const id = useId()
  useEffect(() => {
    // Whoever is typing in another cell is not to be torn away from it.
    const busy = document.activeElement
    const cell = field.current?.closest('[data-cell-id]')
    if (busy === null || busy === document.body || (cell?.contains(busy) ?? false)) field.current?.focus()
  }, [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    onInput(value)
  }
  return (
    <form className="output-input" onSubmit={submit}>
      <label htmlFor={id}>{input.prompt.trim() === '' ? <span className="visually-hidden">{t('Input')}</span> : input.prompt}</label>
      <input
        ref={field}
        id={id}
        type={input.password ? 'password' : 'text'}
        {...(input.password && { role: 'textbox' })}
        value={value}
        readOnly={sent}
        autoComplete={input.password ? 'off' : 'on'}
        spellCheck={false}
        onChange={(event) => setValue(event.target.value)}
      />
      <button type="submit" disabled={sent}>
        {t('Send')}
      </button>
    </form>
  )
}
