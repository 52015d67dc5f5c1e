/** Opens another notebook: what was opened lately, or what a search over names and cells finds. */
import './open.css'
import { FileText, Upload } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { drive } from '../../api/drive'
import type { Item } from '../../api/types'
import { t } from '../../i18n'
import { Button, Dialog, Spinner } from '../kit'

const TYPING_MS = 200

interface OpenDialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly onUpload: () => void
}

export default function OpenDialog({ open, onClose, onUpload }: OpenDialogProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('Open notebook')}
      actions={
        <Button
          weight="soft"
          icon={<Upload size={16} aria-hidden />}
          onClick={() => {
            onClose()
            onUpload()
          }}
        >
          {t('Upload a file')}
        </Button>
      }
    >
      {open && <Notebooks onClose={onClose} />}
    </Dialog>
  )
}

function Notebooks({ onClose }: { onClose: () => void }) {
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
  const links = () => [...(list.current?.querySelectorAll('a') ?? [])]
  return (
    <div className="open-dialog">
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
      {found?.length === 0 && <p className="open-none">{words.trim() === '' ? t('Notebooks that you open are listed here.') : t('No notebook has these words.')}</p>}
      <ul
        ref={list}
        aria-label={t('Notebooks')}
        onKeyDown={(event) => {
          const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
          const at = links().indexOf(document.activeElement as HTMLAnchorElement) + step
          if (step === 0 || at < 0 || at >= links().length) return
          links()[at]!.focus()
          event.preventDefault()
        }}
      >
        {found?.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/notebooks/${id}`} onClick={onClose}>
              <FileText size={18} aria-hidden />
              <span>{name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  )
}
