/** Notebooks to choose from: what was opened lately, or what a search over names and cells finds. */
import './notebooks.css'
import { FileText } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { drive } from '../../api/drive'
import type { Item } from '../../api/types'
import { t } from '../../i18n'
import { Spinner } from '../kit'

const TYPING_MS = 200

interface NotebookListProps {
  /** The link or the button that each is. */
  readonly children: (notebook: Item, shown: ReactNode) => ReactNode
}

export function NotebookList({ children }: NotebookListProps) {
  const [words, setWords] = useState('')
  const [found, setFound] = useState<readonly Item[]>()
  const [error, setError] = useState<string>()
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    const stop = new AbortController()
    const wanted = words.trim()
    const timer = setTimeout(
      () => {
        const answer = wanted === '' ? drive.recent() : drive.search(wanted, 'notebook', null, stop.signal)
        answer.then(
          (items) => {
            if (stop.signal.aborted) return
            setError(undefined)
            setFound(items.map(({ item }) => item).filter(({ kind }) => kind === 'notebook'))
          },
          (cause: unknown) => !stop.signal.aborted && setError(cause instanceof Error ? cause.message : String(cause)),
        )
      },
      wanted === '' ? 0 : TYPING_MS,
    )
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [words])
  const links = () => [...(list.current?.querySelectorAll<HTMLElement>('a, button') ?? [])]
  return (
    <div className="notebook-list">
      <input
        type="search"
        className="field-control"
        aria-label={t('Search your notebooks')}
        placeholder={t('Search names and cells')}
        autoFocus
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        value={words}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') links()[0]?.focus()
          else if (event.key === 'Enter') links()[0]?.click()
          else return
          event.preventDefault()
        }}
      />
      <h3>{words.trim() === '' ? t('Opened lately') : t('Found')}</h3>
      {error !== undefined && <p role="alert">{error}</p>}
      {found === undefined && error === undefined && <Spinner label={t('Loading')} />}
      {found?.length === 0 && <p className="notebook-none">{words.trim() === '' ? t('Notebooks that you open are listed here.') : t('No notebook has these words.')}</p>}
      <ul
        ref={list}
        aria-label={t('Notebooks')}
        onKeyDown={(event) => {
          const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
          const at = links().indexOf(document.activeElement as HTMLElement) + step
          if (step === 0 || at < 0 || at >= links().length) return
          links()[at]!.focus()
          event.preventDefault()
        }}
      >
        {found?.map((notebook) => (
          <li key={notebook.id}>
            {children(
              notebook,
              <>
                <FileText size={18} aria-hidden />
                <span>{notebook.name}</span>
              </>,
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}
