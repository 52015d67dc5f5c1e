/** The variables of the kernel, at the left of the cells. */
import { Braces, Copy, Eye, EyeOff, RefreshCw, Sheet, Trash2, X } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError } from '../../api/client'
import { looking, type Variable, type Variables, type VariablesWanted } from '../../api/looking'
import { t, tn } from '../../i18n'
import { sizeText } from '../../model/usage'
import { NotConnected } from '../files/NotConnected'
import { useReadyRuntime } from '../files/useRuntime'
import { useArrival } from '../arrival'
import { Button, IconButton, Menu, notify, notifyError, Select, Spinner } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import { useChrome, useDesk, useSession } from '../notebook/hooks'
import './variables.css'

const WIDTH = { first: 340, min: 260, max: 720 } as const
const NARROW = 900
const PAGE = 200
const LIMIT_MAX = 500
const TYPING_MS = 250
/** While a cell runs. */
const EVERY_MS = 2000

export default function VariablesPanel() {
  const desk = useDesk()
  const shown = useChrome((chrome) => chrome.side === 'variables')
  const close = () => desk.chrome.setState({ side: null })
  const panel = useArrival(shown, close)
  const runtime = useReadyRuntime()
  const kernel = useSession((session) => session.kernel?.id ?? null)
  const [width, setWidth] = useKeptSize('variables', WIDTH.first)
  const wide = useWindowSize().width > NARROW
  return (
    <aside ref={panel} tabIndex={-1} className="panel panel-left variables" aria-label={t('Variables')} data-keys="own" hidden={!shown} style={wide ? { width: Math.min(width, WIDTH.max) } : undefined}>
      <div className="panel-head">
        <h2>{t('Variables')}</h2>
        <IconButton label={t('Close variables')} icon={<X size={16} aria-hidden />} onClick={close} />
      </div>
      {runtime === null ? <NotConnected icon={<Braces size={36} aria-hidden />}>{t('Connect to a runtime to see the variables of its kernel.')}</NotConnected> : shown && <List key={`${runtime} ${kernel}`} />}
      {wide && <Splitter label={t('Width of the variables panel')} edge="right" size={width} min={WIDTH.min} max={WIDTH.max} onSize={setWidth} />}
    </aside>
  )
}

type Order = 'name' | 'type' | 'bytes'
const FIRST: VariablesWanted = { filter: '', sort: 'name', descending: false, hidden: false, offset: 0, limit: PAGE }

function List() {
  const desk = useDesk()
  const state = useSession((session) => session.kernel?.state ?? null)
  const [wanted, setWanted] = useState(FIRST)
  const [typed, setTyped] = useState('')
  const [found, setFound] = useState<Variables | null>(null)
  const [trouble, setTrouble] = useState<{ readonly code: string; readonly words: string } | null>(null)
  const turn = useRef(0)
  const load = useCallback(async () => {
    const mine = ++turn.current
    try {
      const pages = [await looking.variables(desk.id, { ...wanted, limit: Math.min(wanted.limit, LIMIT_MAX) })]
      while (pages.length * LIMIT_MAX < wanted.limit && pages.at(-1)!.variables.length === LIMIT_MAX) pages.push(await looking.variables(desk.id, { ...wanted, offset: pages.length * LIMIT_MAX, limit: LIMIT_MAX }))
      if (mine !== turn.current) return
      setFound({ total: pages[0]!.total, variables: pages.flatMap(({ variables }) => variables) })
      setTrouble(null)
    } catch (error) {
      if (mine === turn.current) setTrouble(error instanceof ApiError ? { code: error.code, words: error.message } : { code: '', words: String(error) })
    }
  }, [desk, wanted])
  useEffect(() => {
    void load()
    if (state !== 'busy') return
    let here = true
    // One question after the other: a kernel that answers slowly is not asked more.
    const again = (): ReturnType<typeof setTimeout> => setTimeout(() => void (document.visibilityState === 'visible' ? load() : Promise.resolve()).then(() => here && (timer = again())), EVERY_MS)
    let timer = again()
    return () => {
      here = false
      clearTimeout(timer)
    }
  }, [load, state])
  useEffect(() => {
    const timer = setTimeout(() => setWanted((now) => (now.filter === typed ? now : { ...now, filter: typed, limit: PAGE })), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])

  if (trouble?.code === 'unsupported_kernel') return <p className="panel-note">{t('This kernel cannot be asked for its variables: that works with Python.')}</p>
  return (
    <>
      <div className="variables-tools">
        <input type="search" className="panel-filter" aria-label={t('Filter variables')} placeholder={t('Filter')} value={typed} maxLength={200} onChange={(event) => setTyped(event.target.value)} />
        <Select label={t('Sort by')} value={wanted.sort} onChange={(sort: Order) => setWanted({ ...wanted, sort, descending: sort === 'bytes' })} options={[{ value: 'name', label: t('Name') }, { value: 'type', label: t('Type') }, { value: 'bytes', label: t('Size') }]} />
        <IconButton label={wanted.hidden ? t('Hide modules, functions and names with _') : t('Show modules, functions and names with _')} pressed={wanted.hidden} icon={wanted.hidden ? <Eye size={16} aria-hidden /> : <EyeOff size={16} aria-hidden />} onClick={() => setWanted({ ...wanted, hidden: !wanted.hidden })} />
        <IconButton label={t('Refresh variables')} icon={<RefreshCw size={16} aria-hidden />} onClick={() => void load()} />
      </div>
      {trouble !== null && <p className="variables-note" role="status">{trouble.code === 'kernel_busy' ? t('The kernel is busy with something that lets nobody else in. What stands here is from before.') : trouble.words}</p>}
      {found === null && trouble === null && <Spinner label={t('Asking the kernel')} />}
      {found !== null && found.total === 0 && <p className="panel-note">{wanted.filter === '' ? t('No variables yet. Run a cell that makes one.') : t('No variable is called so.')}</p>}
      <ul className="variables-list">
        {found?.variables.map((variable) => <Line key={variable.name} variable={variable} onGone={() => void load()} />)}
      </ul>
      {found !== null && found.total > 0 && (
        <div className="variables-foot">
          <span>{tn('{count} variable', '{count} variables', found.total)}</span>
          {found.variables.length < found.total && <Button small weight="ghost" onClick={() => setWanted({ ...wanted, limit: wanted.limit + LIMIT_MAX })}>{t('Show more')}</Button>}
        </div>
      )}
    </>
  )
}

function Line({ variable, onGone }: { variable: Variable; onGone: () => void }) {
  const desk = useDesk()
  const { name, type, shape, bytes, preview, table } = variable
  const copy = () => void navigator.clipboard.writeText(name).then(() => notify({ title: t('“{name}” copied', { name }) }), (error: unknown) => notifyError(t('The name was not copied'), error))
  const open = () => desk.openTable({ variable: name })
  const remove = () => void looking.remove(desk.id, name).then(onGone, (error: unknown) => notifyError(t('“{name}” was not deleted', { name }), error))
  return (
    <li className="variable">
      <div className="variable-head">
        <button type="button" className="variable-name" title={t('Copy the name')} onClick={copy}>{name}</button>
        <span className="variable-type">{type}</span>
        {table && <IconButton label={t('Show {name} as a table', { name })} icon={<Sheet size={15} aria-hidden />} onClick={open} />}
        <Menu align="end" trigger={<button type="button" className="icon-button variable-more" aria-label={t('More about {name}', { name })}>⋯</button>}
          items={[...(table ? [{ label: t('Show as a table'), icon: <Sheet size={16} aria-hidden />, onSelect: open }] : []), { label: t('Copy the name'), icon: <Copy size={16} aria-hidden />, onSelect: copy }, { label: t('Delete variable'), icon: <Trash2 size={16} aria-hidden />, danger: true, onSelect: remove }]} />
      </div>
      <div className="variable-about">
        <span className="variable-preview" title={preview}>{preview}</span>
        {shape !== null && <span>{shape}</span>}
        <span>{sizeText(bytes)}</span>
      </div>
    </li>
  )
}
