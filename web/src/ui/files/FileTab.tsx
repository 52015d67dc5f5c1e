/** Files of the runtime, shown or edited beside the cells. */
import { X } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { t } from '../../i18n'
import { classes, ConfirmDialog } from '../kit'
import { Splitter, useKeptSize, useWindowSize } from '../kit/Splitter'
import { Contained } from '../notebook/Contained'
import { useChrome, useDesk } from '../notebook/hooks'
import './filetab.css'
import { listen } from './news'
import { OpenFile, type OpenFileHandle } from './OpenFile'
import { moved, nameOf, shown, within } from './paths'

interface Tab {
  readonly id: number
  readonly path: string
}

const WIDTH_MIN = 280
/** What stays for the cells. */
const CELLS_MIN = 448
const NARROW = 900

export default function FileTab() {
  const desk = useDesk()
  const file = useChrome((chrome) => chrome.file)
  const [tabs, setTabs] = useState<readonly Tab[]>([])
  const [dirty, setDirty] = useState<ReadonlySet<number>>(new Set())
  const [leaving, setLeaving] = useState<Tab | null>(null)
  const [width, setWidth] = useKeptSize('file', 0)
  const window_ = useWindowSize()
  const ids = useRef(0)
  const list = useRef<HTMLDivElement>(null)
  const files = useRef(new Map<number, OpenFileHandle>())
  const current = useRef({ tabs, dirty, file })
  current.current = { tabs, dirty, file }
  const go = (file: string | null) => desk.chrome.setState({ file })

  useEffect(() => {
    if (file !== null) setTabs((tabs) => (tabs.some(({ path }) => path === file) ? tabs : [...tabs, { id: ++ids.current, path: file }]))
  }, [file])
  useEffect(
    () =>
      listen(desk, (news) => {
        const { tabs, dirty, file } = current.current
        if (news.what === 'moved') {
          setTabs(tabs.map((tab) => ({ ...tab, path: moved(tab.path, news.from, news.to) })))
          if (file !== null) go(moved(file, news.from, news.to))
        } else if (news.what === 'removed') {
          // What was not saved stays: it can be written once more.
          const gone = tabs.filter((tab) => within(tab.path, news.path) && !dirty.has(tab.id))
          if (gone.length > 0) closed(gone)
        }
      }),
    [desk],
  )
  useEffect(() => {
    void list.current?.querySelector('[aria-selected="true"]')?.parentElement?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [file, tabs])
  useEffect(() => {
    const leaves = (event: BeforeUnloadEvent) => current.current.dirty.size > 0 && event.preventDefault()
    addEventListener('beforeunload', leaves)
    return () => removeEventListener('beforeunload', leaves)
  }, [])

  const closed = (gone: readonly Tab[]) => {
    const { tabs, file } = current.current
    const left = tabs.filter((tab) => !gone.includes(tab))
    setTabs(left)
    setDirty((dirty) => new Set([...dirty].filter((id) => left.some((tab) => tab.id === id))))
    if (gone.some(({ path }) => path === file)) {
      const at = tabs.findIndex(({ path }) => path === file)
      go(left[Math.min(at, left.length - 1)]?.path ?? null)
    }
  }
  const close = (tab: Tab) => (dirty.has(tab.id) ? setLeaving(tab) : closed([tab]))
  const key = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ path }) => path === file)
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key]
    const next = to === undefined ? undefined : tabs[to]
    if (event.key === 'Delete' && tabs[at]) close(tabs[at])
    else if (next) {
      go(next.path)
      requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus())
    } else return
    event.preventDefault()
  }

  if (tabs.length === 0) return null
  const wide = window_.width > NARROW
  const most = Math.max(WIDTH_MIN, window_.width - CELLS_MIN)
  const size = width === 0 ? Math.round(window_.width * 0.42) : width
  const here = tabs.find(({ path }) => path === file)
  return (
    <section
      className="filetab"
      aria-label={t('Open files')}
      data-keys="own"
      hidden={file === null}
      style={wide ? { width: Math.min(size, most) } : undefined}
      onKeyDown={(event) => {
        if (event.key.toLowerCase() !== 's' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
        event.preventDefault()
        if (here) files.current.get(here.id)?.save()
      }}
    >
      {wide && <Splitter label={t('Width of the open files')} edge="left" size={size} min={WIDTH_MIN} max={most} onSize={setWidth} />}
      <div role="tablist" aria-label={t('Open files')} className="filetab-tabs" ref={list} onKeyDown={key}>
        {tabs.map((tab) => (
          <div key={tab.id} role="none" className={classes('filetab-tab', tab === here && 'filetab-tab-on', dirty.has(tab.id) && 'filetab-dirty')}>
            <button
              type="button"
              role="tab"
              id={`file-tab-${tab.id}`}
              aria-selected={tab === here}
              aria-controls={`file-${tab.id}`}
              aria-label={dirty.has(tab.id) ? t('{name}, not saved', { name: shown(nameOf(tab.path)) }) : shown(nameOf(tab.path))}
              aria-description={t('Delete closes it')}
              tabIndex={tab === here ? 0 : -1}
              title={shown(tab.path)}
              onClick={() => go(tab.path)}
              onAuxClick={(event) => event.button === 1 && close(tab)}
            >
              {shown(nameOf(tab.path))}
            </button>
            <span className="filetab-close" aria-hidden title={t('Close')} onClick={() => close(tab)}>
              <span className="filetab-dot" />
              <X size={14} />
            </span>
          </div>
        ))}
      </div>
      {tabs.map((tab) => (
        <div key={tab.id} role="tabpanel" id={`file-${tab.id}`} aria-labelledby={`file-tab-${tab.id}`} className="filetab-panel" hidden={tab !== here}>
          <Contained of={tab.path} what={t('The file')}>
            <OpenFile
              path={tab.path}
              active={tab === here}
              onClose={() => close(tab)}
              onDirty={(now) =>
                setDirty((dirty) => {
                  if (dirty.has(tab.id) === now) return dirty
                  const next = new Set(dirty)
                  if (now) next.add(tab.id)
                  else next.delete(tab.id)
                  return next
                })
              }
              ref={(handle) => {
                if (handle) files.current.set(tab.id, handle)
                else files.current.delete(tab.id)
              }}
            />
          </Contained>
        </div>
      ))}
      <ConfirmDialog
        open={leaving !== null}
        onClose={() => setLeaving(null)}
        danger
        title={t('Close “{shown}” without saving?', { shown: shown(nameOf(leaving?.path ?? '')) })}
        description={t('What you changed since it was last saved is lost.')}
        confirm={t('Close without saving')}
        onConfirm={() => {
          if (leaving) closed([leaving])
        }}
      />
    </section>
  )
}
