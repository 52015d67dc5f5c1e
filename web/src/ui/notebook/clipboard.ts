/** Cells through the system's clipboard: between notebooks, tabs, and Jupyter's other editors. */
import { useEffect } from 'react'
import { CELLS_MIME, fromOffered, portions, toHtml, toJson, toText } from '../../model/clipboard'
import * as notebook from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { t, tn } from '../../i18n'
import { notify } from '../kit'
import { refused, remove } from './arranging'
import type { Desk } from './desk'

/** Browsers hand formats of a page's own on under this name. */
const WEB_MIME = `web ${CELLS_MIME}`
/** Under the server's limit of 4 MiB for an edit. */
const EDIT_BYTES_MAX = 3 << 20

/** What this tab copied last, for browsers that refuse to give the clipboard back. */
let kept: readonly notebook.Draft[] = []

export const drafts = (desk: Desk, ids: readonly CellId[]): notebook.Draft[] => ids.flatMap((id) => notebook.cellOf(desk.room.doc, id) ?? []).map(notebook.copyOf)

/** `json`: the text itself is the list of cells, as JupyterLab reads it from the system's clipboard. */
export async function copy(desk: Desk, as: 'cells' | 'json' = 'cells'): Promise<void> {
  const cells = drafts(desk, desk.chosen)
  if (cells.length === 0) return
  kept = cells
  try {
    if (as === 'json') await navigator.clipboard.writeText(toJson(cells))
    else await navigator.clipboard.write([item(cells)])
  } catch {
    // Plain http has no such clipboard; what the browser's own copying calls still works there, and is heard below.
    if (!document.execCommand('copy') || as === 'json') return notify({ title: t('Copied for this tab only'), detail: t('This browser does not let the page write the clipboard.') })
  }
  notify({ title: tn('Cell copied', '{count} cells copied', cells.length), kind: 'good' })
}

function item(cells: readonly notebook.Draft[]): ClipboardItem {
  const parts: Record<string, Blob> = { 'text/plain': new Blob([toText(cells)], { type: 'text/plain' }), 'text/html': new Blob([toHtml(cells)], { type: 'text/html' }) }
  if (ClipboardItem.supports?.(WEB_MIME)) parts[WEB_MIME] = new Blob([toJson(cells)], { type: WEB_MIME })
  return new ClipboardItem(parts)
}

export function cut(desk: Desk): void {
  const ids = desk.chosen
  if (refused(desk, ids, 'delete')) return
  const copied = copy(desk)
  remove(desk, ids)
  void copied
}

export async function paste(desk: Desk): Promise<void> {
  let cells: readonly notebook.Draft[]
  try {
    cells = await offered()
  } catch {
    // Refused by the person or the browser. The keys still work: they bring the clipboard along.
    if (kept.length === 0) return notify({ title: t('This browser does not show the clipboard to the page'), detail: t('Select a cell and press Ctrl+V instead.') })
    cells = kept
  }
  put(desk, cells)
}

async function offered(): Promise<notebook.Draft[]> {
  const [first] = await navigator.clipboard.read()
  if (!first) return []
  const read = async (type: string) => (first.types.includes(type) ? (await first.getType(type)).text() : '')
  return fromOffered({ cells: await read(WEB_MIME), html: await read('text/html'), text: await read('text/plain') })
}

/** Below what is chosen, or where it is said. */
export function put(desk: Desk, cells: readonly notebook.Draft[], after: CellId | null = desk.chosen.at(-1) ?? desk.outline.current().at(-1) ?? null): void {
  if (cells.length === 0) return notify({ title: t('There is nothing to paste') })
  const parts = portions(cells, EDIT_BYTES_MAX)
  if (parts === null) return notify({ title: t('The cells were not pasted'), detail: t('One of them is larger than a cell may be.'), kind: 'bad' })
  const ids: CellId[] = []
  for (const part of parts) ids.push(...notebook.insert(desk.room.doc, ids.at(-1) ?? after, part, desk.me.id))
  desk.goTo(ids.at(-1)!)
  if (ids.length > 1) desk.act({ do: 'choose', cells: ids })
}

/** The keys of copying and pasting, on a cell rather than in a text, with no permission asked. */
export function useClipboard(desk: Desk): void {
  useEffect(() => {
    const onCells = () => {
      const at = document.activeElement
      return desk.view.getState().focused !== null && (at === null || at === document.body || at.matches('.cell-group > [data-cell-id]'))
    }
    const copied = (event: ClipboardEvent) => {
      if (!onCells() || !event.clipboardData || !(getSelection()?.isCollapsed ?? true)) return
      const ids = desk.chosen
      kept = drafts(desk, ids)
      if (event.type === 'cut' && (!desk.may('write') || refused(desk, ids, 'delete'))) return
      event.preventDefault()
      event.clipboardData.setData('text/plain', toText(kept))
      event.clipboardData.setData('text/html', toHtml(kept))
      event.clipboardData.setData(CELLS_MIME, toJson(kept))
      if (event.type === 'cut') remove(desk, ids)
    }
    const pasted = (event: ClipboardEvent) => {
      if (!onCells() || !event.clipboardData || !desk.may('write')) return
      const data = event.clipboardData
      if (data.types.every((type) => type === 'Files')) return
      event.preventDefault()
      put(desk, fromOffered({ cells: data.getData(CELLS_MIME), html: data.getData('text/html'), text: data.getData('text/plain') }))
    }
    document.addEventListener('copy', copied)
    document.addEventListener('cut', copied)
    document.addEventListener('paste', pasted)
    return () => {
      document.removeEventListener('copy', copied)
      document.removeEventListener('cut', copied)
      document.removeEventListener('paste', pasted)
    }
  }, [desk])
}
