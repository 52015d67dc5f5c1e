/** One open file: fetched, shown as what it is, saved, and looked at again when it may have changed. */
import { BookOpen, Download, Save, X } from 'lucide-react'
import { type ReactNode, type Ref, useCallback, useEffect, useImperativeHandle, useRef, useState } from 'react'
import { t } from '../../i18n'
import { ApiError } from '../../api/client'
import { type Content, contentAddress, inside, type RuntimeId } from '../../api/inside'
import { uploadFile } from '../../api/upload'
import { shown as keys } from '../../model/shortcut'
import { sizeText } from '../../model/usage'
import { JsonTree } from '../../outputs/JsonTree'
import { mac } from '../commands/keys'
import { Button, Dialog, IconButton, notify, notifyError, Spinner } from '../kit'
import { saveText } from '../../outputs/saveFile'
import { useDesk } from '../notebook/hooks'
import { listen, tell } from './news'
import { ending, nameOf, shown, type Sort, sortOf, textIn } from './paths'
import { TableFile } from './TableFile'
import { TextFile, type TextFileHandle } from './TextFile'
import { useReadyRuntime } from './useRuntime'

export interface OpenFileHandle {
  save(): void
}

export interface OpenFileProps {
  readonly path: string
  readonly active: boolean
  readonly onClose: () => void
  readonly onDirty: (dirty: boolean) => void
  readonly ref: Ref<OpenFileHandle>
}

/** What is larger is shown in part, and not edited. */
const EDITED_BYTES_MAX = 2 * 1024 * 1024
const SHOWN_BYTES_MAX = 256 * 1024
const REST_MS = 250

interface Read extends Content {
  readonly runtime: RuntimeId
  readonly sort: Sort
  /** Null: it is no text. */
  readonly text: string | null
  readonly whole: boolean
}

type Loading = { readonly is: 'loading' } | { readonly is: 'failed'; readonly why: string } | { readonly is: 'here'; readonly read: Read }

const drawn = (sort: Sort): boolean => sort === 'image' || sort === 'audio' || sort === 'video' || sort === 'none'

async function fetched(runtime: RuntimeId, path: string): Promise<Read> {
  const sort = sortOf(nameOf(path))
  const content = await inside.read(runtime, path, drawn(sort) ? 1 : EDITED_BYTES_MAX)
  const whole = content.bytes.length === content.total
  return { ...content, runtime, sort, whole, text: drawn(sort) ? null : textIn(content.bytes, whole) }
}

export function OpenFile({ path, active, onClose, onDirty, ref }: OpenFileProps) {
  const desk = useDesk()
  const runtime = useReadyRuntime()
  const [loading, setLoading] = useState<Loading>({ is: 'loading' })
  const [raw, setRaw] = useState(false)
  const [saving, setSaving] = useState(false)
  const [clash, setClash] = useState(false)
  /** The file is another one than the one that was read. */
  const [stale, setStale] = useState<'changed' | 'gone' | null>(null)
  const [table, setTable] = useState('')
  const editor = useRef<TextFileHandle>(null)
  const dirty = useRef(false)
  const etag = useRef<string | null>(null)
  const read = loading.is === 'here' ? loading.read : null
  const name = shown(nameOf(path))

  const turnDirty = useCallback((now: boolean) => {
    dirty.current = now
    told.current(now)
  }, [])
  const told = useRef(onDirty)
  told.current = onDirty

  const load = useCallback(async () => {
    if (runtime === null) return
    try {
      const next = await fetched(runtime, path)
      etag.current = next.etag
      setStale(null)
      // An editor that is there keeps its place and its history.
      if (editor.current && next.text !== null) editor.current.replace(next.text)
      setTable(next.text ?? '')
      setLoading({ is: 'here', read: next })
      turnDirty(false)
    } catch (error) {
      setLoading({ is: 'failed', why: error instanceof Error ? error.message : String(error) })
    }
  }, [runtime, path, turnDirty])

  /** Whether the file is still the one that was read; if nothing would be lost, the new one is shown. */
  const check = useCallback(async () => {
    if (runtime === null) return
    try {
      const now = (await inside.read(runtime, path, 1)).etag
      if (now === etag.current) return setStale((before) => (before === 'changed' ? null : before))
      if (dirty.current) setStale('changed')
      else await load()
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) setStale('gone')
    }
  }, [runtime, path, load])

  const loaded = useRef<{ readonly runtime: RuntimeId; readonly path: string } | null>(null)
  useEffect(() => {
    if (runtime === null) return
    const before = loaded.current
    loaded.current = { runtime, path }
    if (before === null) void load()
    // The same content under another name, or another machine: what is here is not thrown away.
    else if (before.runtime !== runtime) void check()
  }, [runtime, path, load, check])
  useEffect(() => {
    if (!active) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const soon = () => {
      clearTimeout(timer)
      timer = setTimeout(() => void check(), REST_MS)
    }
    if (loaded.current !== null && etag.current !== null) soon()
    const farewell = listen(desk, (news) => (news.what === 'perhaps' || ((news.what === 'written' || news.what === 'removed') && path.startsWith(news.path))) && soon())
    addEventListener('focus', soon)
    return () => {
      clearTimeout(timer)
      farewell()
      removeEventListener('focus', soon)
    }
  }, [active, desk, path, check])

  const editable = read !== null && read.text !== null && read.whole
  const save = async (over: boolean) => {
    if (!editable || saving || runtime === null || editor.current === null) return
    const { text, saved } = editor.current.now()
    setSaving(true)
    try {
      const mine = new Blob([text])
      // A file that is gone, or lies on another machine now, is not the one that the etag names.
      etag.current = await inside.write(runtime, path, mine, over || stale === 'gone' ? null : etag.current)
      setStale(null)
      saved()
      tell(desk, { what: 'written', path })
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) setClash(true)
      else if (error instanceof ApiError && error.status === 404 && !over) setStale('gone')
      else notifyError(t('“{name}” could not be saved', { name }), error)
    } finally {
      setSaving(false)
    }
  }
  useImperativeHandle(ref, () => ({ save: () => void save(false) }))

  const both = editable && (read.sort === 'table' || read.sort === 'json')
  const asText = editable && (!both || raw)
  const body = (): ReactNode => {
    if (runtime === null && read === null) return <p className="file-note">{t('Connect to a runtime to see this file.')}</p>
    if (loading.is === 'failed')
      return (
        <div className="file-none">
          <p>{loading.why}</p>
          <Button small onClick={() => void load()}>
            {t('Try again')}
          </Button>
        </div>
      )
    if (read === null)
      return (
        <div className="file-none">
          <Spinner label={t('Opening {name}', { name })} large />
        </div>
      )
    return <Shown path={path} read={read} version={etag.current} table={table} raw={raw} />
  }

  return (
    <>
      <div className="filetab-tools">
        <span className="filetab-path" title={shown(path)}>
          {shown(path)}
        </span>
        {both && (
          <Button
            small
            weight="ghost"
            onClick={() => {
              if (raw && editor.current) setTable(editor.current.now().text)
              setRaw(!raw)
            }}
          >
            {raw ? (read.sort === 'table' ? t('Show as a table') : t('Show as a tree')) : t('Edit as text')}
          </Button>
        )}
        {read !== null && ending(name) === 'ipynb' && <IconButton label={t('Open as a notebook')} icon={<BookOpen size={16} aria-hidden />} onClick={() => void asNotebook(read.runtime, path)} />}
        {asText && <IconButton label={t('Save')} shortcut={keys('Mod+S', mac)} icon={saving ? <Spinner /> : <Save size={16} aria-hidden />} disabled={runtime === null} onClick={() => void save(false)} />}
        {runtime !== null ? (
          <a className="icon-button" href={contentAddress(runtime, path, true)} download={nameOf(path)} aria-label={t('Download')} title={t('Download')}>
            <Download size={16} aria-hidden />
          </a>
        ) : (
          editable && <IconButton label={t('Download what is here')} icon={<Download size={16} aria-hidden />} onClick={() => saveText(nameOf(path), editor.current?.now().text ?? '')} />
        )}
        <IconButton label={t('Close {name}', { name })} icon={<X size={16} aria-hidden />} onClick={onClose} />
      </div>
      {runtime === null && read !== null && <Banner>{t('The runtime is gone, and its files with it. What you see is still in this page.')}</Banner>}
      {runtime !== null && stale === 'changed' && (
        <Banner
          action={
            <Button small weight="soft" onClick={() => void load()}>
              {t('Load it')}
            </Button>
          }
        >
          {t('It changed in the runtime since you opened it.')}
        </Banner>
      )}
      {runtime !== null && stale === 'gone' && <Banner>{t('It is no longer there.')} {editable && t('Saving writes it again.')}</Banner>}
      {read !== null && read.text !== null && !read.whole && read.sort !== 'table' && (
        <Banner>
          {t('The first {shown} of {total}. It is too large to be edited here.', { shown: sizeText(SHOWN_BYTES_MAX), total: sizeText(read.total) })}
        </Banner>
      )}
      <div className="filetab-body">
        {!asText && body()}
        {editable && <TextFile path={path} text={read.text!} readOnly={runtime === null} visible={asText && active} onDirty={turnDirty} ref={editor} />}
      </div>
      <Dialog
        open={clash}
        onClose={() => setClash(false)}
        title={t('“{name}” changed since you opened it', { name })}
        description={t('Something in the runtime has written to it. Overwrite that with your text, or load what is there now?')}
        actions={
          <>
            <Button
              weight="outline"
              onClick={() => {
                setClash(false)
                void load()
              }}
            >
              {t('Load theirs')}
            </Button>
            <Button
              weight="primary"
              onClick={() => {
                setClash(false)
                void save(true)
              }}
            >
              {t('Overwrite')}
            </Button>
          </>
        }
      />
    </>
  )
}

function Banner({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="filetab-banner" role="status">
      <span>{children}</span>
      {action}
    </div>
  )
}

function Shown({ path, read, version, table, raw }: { path: string; read: Read; version: string | null; table: string; raw: boolean }) {
  const name = shown(nameOf(path))
  const url = `${contentAddress(read.runtime, path)}&v=${encodeURIComponent(version ?? '')}`
  if (read.sort === 'image') return <Picture url={url} name={name} size={read.total} />
  if (read.sort === 'audio') return <div className="file-none"><audio key={url} controls src={url} aria-label={name} /></div>
  if (read.sort === 'video') return <div className="file-none"><video key={url} controls src={url} aria-label={name} /></div>
  if (read.text === null) return <Unshown size={read.total} />
  if (read.sort === 'table' && !raw) return <TableFile text={read.whole ? table : read.text} tabs={ending(nameOf(path)) === 'tsv'} whole={read.whole} label={t('{name} as a table', { name })} />
  if (read.sort === 'json' && read.whole && !raw) return <Json text={table} />
  return (
    <pre className="file-plain" tabIndex={0} aria-label={name}>
      {read.text.slice(0, SHOWN_BYTES_MAX)}
    </pre>
  )
}

function Unshown({ size }: { size: number }) {
  return (
    <div className="file-none">
      <p>{t('A file of this kind cannot be shown here.')}</p>
      <p className="file-size">{sizeText(size)}</p>
    </div>
  )
}

function Json({ text }: { text: string }) {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return <p className="file-note">{t('This is not valid JSON: {reason}', { reason: error instanceof Error ? error.message : String(error) })}</p>
  }
  return (
    <div className="file-json">
      <JsonTree value={value} />
    </div>
  )
}

function Picture({ url, name, size }: { url: string; name: string; size: number }) {
  const [failed, setFailed] = useState<string | null>(null)
  const [whole, setWhole] = useState(false)
  const [measure, setMeasure] = useState('')
  if (failed === url) return <Unshown size={size} />
  return (
    <figure className="file-picture">
      <button type="button" className={whole ? 'file-picture-whole' : 'file-picture-fit'} aria-pressed={whole} aria-label={whole ? t('Fit the picture into view') : t('Show the picture at its full size')} onClick={() => setWhole(!whole)}>
        <img src={url} alt={name} onError={() => setFailed(url)} onLoad={(event) => setMeasure(`${event.currentTarget.naturalWidth} × ${event.currentTarget.naturalHeight}`)} />
      </button>
      <figcaption>{[measure, sizeText(size)].filter(Boolean).join(' · ')}</figcaption>
    </figure>
  )
}

/** A copy becomes a notebook of the person's drive; nothing in it runs. */
async function asNotebook(runtime: RuntimeId, path: string): Promise<void> {
  try {
    const answer = await fetch(contentAddress(runtime, path))
    if (!answer.ok) throw new Error(t('The file could not be read.'))
    const { id } = await uploadFile(new File([await answer.blob()], nameOf(path)), null, () => undefined).done
    notify({ title: t('“{shown}” is in your drive now', { shown: shown(nameOf(path)) }), kind: 'good', action: { label: t('Open'), run: () => window.open(`/notebooks/${id}`, '_blank', 'noopener') } })
  } catch (error) {
    notifyError(t('It could not be opened as a notebook'), error)
  }
}
