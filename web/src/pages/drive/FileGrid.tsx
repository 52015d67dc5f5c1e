/** A folder's items as a grid that arrow keys walk through: one stop for Tab, a link for each item. */
import { ArrowDown, ArrowUp, EllipsisVertical, File, FileChartColumn, FileImage, FileText, Folder, NotebookText, Star, Users } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { at as written, brief } from '../../i18n/formats'
import { msg, t } from '../../i18n'
import { downloadAddress } from '../../api/client'
import type { Item } from '../../api/types'
import { placeName } from '../../ui/drive/places'
import { classes, ContextMenu, Hint, Menu, type MenuEntry } from '../../ui/kit'
import { pageOf, sizeText, type Sort, type SortKey, toggled, typedAhead } from './listing'
import type { Row as Listed } from './useListing'

export interface FileGridProps {
  readonly items: readonly Listed[]
  /** Null: the order means something, and stays. */
  readonly sort: Sort | null
  readonly onSort: (sort: Sort) => void
  readonly stars: ReadonlySet<string>
  readonly onStar: (item: Item, on: boolean) => void
  /** What the column of times is about. */
  readonly times: 'Modified' | 'Opened' | 'In the trash since'
  readonly menu: (item: Item) => readonly MenuEntry[]
  readonly onRename: (item: Item) => void
  readonly onDelete: (item: Item) => void
  /** In the trash nothing opens. */
  readonly inert?: boolean
  readonly me: string
}

function Icon({ item }: { item: Item }): ReactNode {
  if (item.kind === 'folder') return <Folder size={20} aria-hidden className="kind kind-folder" fill="currentColor" fillOpacity={0.18} />
  if (item.kind === 'notebook') return <NotebookText size={20} aria-hidden className="kind kind-notebook" />
  if (/\.(png|jpe?g|gif|webp|svg)$/i.test(item.name)) return <FileImage size={20} aria-hidden className="kind" />
  if (/\.(csv|tsv|parquet|xlsx?)$/i.test(item.name)) return <FileChartColumn size={20} aria-hidden className="kind" />
  if (/\.(txt|md|py|json|ya?ml)$/i.test(item.name)) return <FileText size={20} aria-hidden className="kind" />
  return <File size={20} aria-hidden className="kind" />
}

const KINDS = { folder: msg('Folder'), notebook: msg('Notebook'), file: msg('File') } as const

function Heading({ by, sort, onSort, children }: { by: SortKey; sort: Sort | null; onSort: (sort: Sort) => void; children: string }) {
  if (sort === null) return <div role="columnheader" className={`col-${by}`}>{children}</div>
  const here = sort.by === by
  return (
    <div role="columnheader" aria-sort={here ? (sort.descending ? 'descending' : 'ascending') : 'none'} className={`col-${by}`}>
      <button type="button" className="column-sort" onClick={() => onSort(toggled(sort, by))}>
        {children}
        {here && (sort.descending ? <ArrowDown size={14} aria-hidden /> : <ArrowUp size={14} aria-hidden />)}
      </button>
    </div>
  )
}

interface RowProps extends FileGridProps {
  readonly item: Listed
  readonly current: boolean
  readonly now: number
  readonly onFocus: () => void
}

/** The folders it lies in, and the words of its cells around what was looked for. */
function Where({ item }: { item: Listed }) {
  const { found } = item
  if (!found || (found.path.length === 0 && found.snippet.length === 0)) return null
  return (
    <span className="file-where">
      {found.path.length > 0 && <span className="file-path">{found.path.map(placeName).join(' › ')}</span>}
      {found.snippet.length > 0 && <span className="file-snippet">{found.snippet.map((piece, at) => (piece.matched ? <mark key={at}>{piece.text}</mark> : piece.text))}</span>}
    </span>
  )
}

function Row({ item, current, now, onFocus, menu, inert = false, me, stars, onStar, times }: RowProps) {
  const [, navigate] = useLocation()
  const page = pageOf(item)
  const entries = menu(item)
  const name = (
    <>
      <Icon item={item} />
      <span className="file-words">
        <span className="file-name">{item.name}</span>
        <Where item={item} />
      </span>
      {item.owner.id !== me && (
        <Hint text={t('Shared by {name}', { name: item.owner.name })}>
          <span className="file-shared">
            <Users size={14} aria-label={t('shared by {name}', { name: item.owner.name })} />
          </span>
        </Hint>
      )}
    </>
  )
  const tab = current ? 0 : -1
  const starred = stars.has(item.id)
  const at = times === 'Opened' ? (item.opened_at ?? item.modified_at) : times === 'Modified' ? item.modified_at : (item.trashed_at ?? item.modified_at)
  return (
    <ContextMenu items={entries}>
      <div role="row" className="file-row" data-item-id={item.id} onFocus={onFocus}>
        <div role="gridcell" className="col-name">
          {inert ? (
            <span className="file-link" tabIndex={tab} data-stop>
              {name}
            </span>
          ) : (
            <a
              className="file-link"
              data-stop
              tabIndex={tab}
              href={page ?? downloadAddress(item) ?? '#'}
              {...(page === null && { download: item.name })}
              onClick={(event) => {
                if (page === null || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
                event.preventDefault()
                navigate(page)
              }}
            >
              {name}
            </a>
          )}
        </div>
        <div role="gridcell" className="col-owner">{item.owner.id === me ? t('me') : item.owner.name}</div>
        <div role="gridcell" className="col-modified">
          <time dateTime={new Date(at).toISOString()} title={written('moment', at)}>
            {brief(at, now)}
          </time>
        </div>
        <div role="gridcell" className="col-size">{item.kind === 'folder' ? <span aria-label={t(KINDS[item.kind])}>—</span> : sizeText(item.size)}</div>
        <div role="gridcell" className="col-star">
          {!inert && (
            <button
              type="button"
              className={classes('icon-button', 'file-star', starred && 'file-starred')}
              data-stop
              tabIndex={tab}
              aria-label={t('Star {name}', { name: item.name })}
              aria-pressed={starred}
              title={starred ? t('Remove the star') : t('Star')}
              onClick={() => onStar(item, !starred)}
            >
              <Star size={17} aria-hidden fill={starred ? 'currentColor' : 'none'} />
            </button>
          )}
        </div>
        <div role="gridcell" className="col-more">
          <Menu
            align="end"
            items={entries}
            trigger={
              <button type="button" className="icon-button" data-stop tabIndex={tab} aria-label={t('More for {name}', { name: item.name })}>
                <EllipsisVertical size={18} aria-hidden />
              </button>
            }
          />
        </div>
      </div>
    </ContextMenu>
  )
}

export function FileGrid(props: FileGridProps) {
  const { items, sort, onSort, onRename, onDelete } = props
  const [current, setCurrent] = useState(0)
  const grid = useRef<HTMLDivElement>(null)
  const typed = useRef({ text: '', at: 0 })
  const now = Date.now()
  const at = Math.min(current, items.length - 1)
  useEffect(() => setCurrent(0), [])

  const focus = (row: number, stop: number) => {
    const rows = grid.current?.querySelectorAll<HTMLElement>('.file-row')
    rows?.[Math.max(0, Math.min(row, items.length - 1))]?.querySelectorAll<HTMLElement>('[data-stop]')[stop]?.focus()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement
    if (!target.matches('.file-row [data-stop]')) return
    const item = items[at]
    const stops = [...(target.closest('.file-row')?.querySelectorAll('[data-stop]') ?? [])]
    const stop = stops.indexOf(target)
    const go = (row: number, to = stop) => {
      event.preventDefault()
      focus(row, to)
    }
    if (event.key === 'ArrowDown') go(at + 1)
    else if (event.key === 'ArrowUp') go(at - 1)
    else if (event.key === 'Home') go(0)
    else if (event.key === 'End') go(items.length - 1)
    else if (event.key === 'PageDown') go(at + 10)
    else if (event.key === 'PageUp') go(at - 10)
    else if (event.key === 'ArrowRight') go(at, Math.min(stop + 1, stops.length - 1))
    else if (event.key === 'ArrowLeft') go(at, Math.max(0, stop - 1))
    else if (event.key === 'F2' && item) onRename(item)
    else if (event.key === 'Delete' && item) onDelete(item)
    else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const fresh = event.timeStamp - typed.current.at > 800
      typed.current = { text: (fresh ? '' : typed.current.text) + event.key, at: event.timeStamp }
      go(typedAhead(items, at, typed.current.text), 0)
    }
  }

  return (
    <div role="grid" aria-label={t('Files')} aria-rowcount={items.length + 1} className={classes('file-grid', props.inert === true && 'file-grid-inert')} ref={grid} onKeyDown={onKeyDown}>
      <div role="row" className="file-head">
        <Heading by="name" sort={sort} onSort={onSort}>{t('Name')}</Heading>
        <div role="columnheader" className="col-owner">{t('Owner')}</div>
        <Heading by="modified" sort={sort} onSort={onSort}>{t(props.times)}</Heading>
        <div role="columnheader" className="col-size">{t('Size')}</div>
        <div role="columnheader" className="col-star"><span className="visually-hidden">{t('Star')}</span></div>
        <div role="columnheader" className="col-more"><span className="visually-hidden">{t('Actions')}</span></div>
      </div>
      {items.map((item, index) => (
        <Row key={item.id} {...props} item={item} current={index === at} now={now} onFocus={() => setCurrent(index)} />
      ))}
    </div>
  )
}
