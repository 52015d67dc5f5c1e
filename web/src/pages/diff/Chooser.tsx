/** Where one of two notebooks comes from. */
import { FileText, HardDrive, Upload } from 'lucide-react'
import { type DragEvent, type FormEvent, useRef, useState } from 'react'
import { t } from '../../i18n'
import { NotebookList } from '../../ui/drive/NotebookList'
import { Button, classes, Dialog, TextField } from '../../ui/kit'
import { type Chosen, chosenBy, chosenFile, chosenHere } from './chosen'

interface ChooserProps {
  readonly title: string
  readonly chosen: Chosen | null
  readonly onChoose: (chosen: Chosen) => void
}

export function Chooser({ title, chosen, onChoose }: ChooserProps) {
  const input = useRef<HTMLInputElement>(null)
  const [link, setLink] = useState('')
  const [error, setError] = useState<string>()
  const [over, setOver] = useState(false)
  const [picking, setPicking] = useState(false)
  const take = async (coming: Promise<Chosen>) => {
    setError(undefined)
    try {
      onChoose(await coming)
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    }
  }
  const dropped = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const file = event.dataTransfer.files[0]
    if (file) void take(chosenFile(file))
  }
  return (
    <section
      aria-label={title}
      className={classes('diff-side', over && 'diff-over')}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <h2>{title}</h2>
      {chosen !== null && (
        <p className="diff-chosen" role="status">
          <FileText size={16} aria-hidden /> {chosen.name}
        </p>
      )}
      <input
        ref={input}
        type="file"
        accept=".ipynb,application/x-ipynb+json,application/json"
        className="visually-hidden"
        aria-label={t('{title}: a file', { title })}
        tabIndex={-1}
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file) void take(chosenFile(file))
          event.target.value = ''
        }}
      />
      <div className="diff-ways">
        <Button weight="soft" icon={<Upload size={16} aria-hidden />} onClick={() => input.current?.click()}>
          {t('Choose a file')}
        </Button>
        <Button weight="soft" icon={<HardDrive size={16} aria-hidden />} onClick={() => setPicking(true)}>
          {t('From the drive')}
        </Button>
      </div>
      <Dialog open={picking} onClose={() => setPicking(false)} title={t('Choose a notebook')}>
        {picking && (
          <NotebookList>
            {({ id, name }, shown) => (
              <button
                type="button"
                onClick={() => {
                  setPicking(false)
                  setError(undefined)
                  onChoose(chosenHere(id, name))
                }}
              >
                {shown}
              </button>
            )}
          </NotebookList>
        )}
      </Dialog>
      <form
        className="diff-link"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          void take(chosenBy(link))
        }}
      >
        <TextField label={t('Or an address, here or on the web')} value={link} onChange={setLink} error={error} />
        <Button type="submit" disabled={link.trim() === ''}>
          {t('Use it')}
        </Button>
      </form>
    </section>
  )
}
