/** A cell's outputs on their way out: to the clipboard and into files. */
import { t } from '../i18n'
import { saveFile } from './saveFile'
import { isBlob, type MimeValue, type NotebookId, type Output } from '../model/wire'
import { copied } from './copied'
import { DATA, FILES, first, IMAGES, type SaveAs } from './offers'
import { blobAddress, bytesOf, readText, textOf } from './values'

async function text(notebook: NotebookId, value: MimeValue): Promise<string> {
  return isBlob(value) ? (await readText(blobAddress(notebook, value.$blob), Number.POSITIVE_INFINITY)).text : textOf(value)
}

async function binary(notebook: NotebookId, mime: string, value: MimeValue): Promise<Blob> {
  if (isBlob(value)) {
    const answer = await fetch(blobAddress(notebook, value.$blob), { credentials: 'same-origin' })
    if (!answer.ok) throw new Error(`The output could not be loaded (${answer.status}).`)
    return new Blob([await answer.arrayBuffer()], { type: mime })
  }
  if (mime === IMAGES.svg) return new Blob([textOf(value)], { type: mime })
  const bytes = bytesOf(value)
  if (bytes === null) throw new Error(t('This output is damaged: it is not {type}.', { type: mime }))
  return new Blob([bytes], { type: mime })
}

/** The rows of the first table in some HTML; spans are not repeated. */
export function tableOf(html: string): readonly (readonly string[])[] | null {
  // A template's document is inert: nothing in it is fetched or run.
  const holder = document.createElement('template')
  holder.innerHTML = html
  const table = holder.content.querySelector('table')
  return table && [...table.querySelectorAll('tr')].map((row) => [...row.children].map((cell) => (cell.textContent ?? '').trim().replace(/\s+/g, ' ')))
}

export const asTsv = (rows: readonly (readonly string[])[]): string => rows.map((row) => row.join('\t')).join('\n')
export const asCsv = (rows: readonly (readonly string[])[]): string => rows.map((row) => row.map((cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')).join('\r\n') + '\r\n'

async function tableIn(notebook: NotebookId, outputs: readonly Output[]): Promise<readonly (readonly string[])[]> {
  const found = first(outputs, ['text/html'])
  const rows = found && tableOf(await text(notebook, found.value))
  if (!rows) throw new Error(t('There is no table in this output.'))
  return rows
}

export async function copyText(outputs: readonly Output[]): Promise<void> {
  await navigator.clipboard.writeText(copied(outputs))
}

export async function copyTable(notebook: NotebookId, outputs: readonly Output[]): Promise<void> {
  await navigator.clipboard.writeText(asTsv(await tableIn(notebook, outputs)))
}

/** As a PNG, the one kind that every clipboard takes. */
export async function copyImage(notebook: NotebookId, outputs: readonly Output[]): Promise<void> {
  const found = first(outputs, Object.values(IMAGES))
  if (found === null) return
  const blob = await binary(notebook, found.mime, found.value)
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob.type === 'image/png' ? blob : drawn(blob) })])
}

async function drawn(blob: Blob): Promise<Blob> {
  const address = URL.createObjectURL(blob)
  try {
    const image = new Image()
    image.src = address
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.naturalWidth
    canvas.height = image.naturalHeight
    canvas.getContext('2d')?.drawImage(image, 0, 0)
    return await new Promise((done, fail) => canvas.toBlob((made) => (made ? done(made) : fail(new Error(t('The image could not be drawn.')))), 'image/png'))
  } finally {
    URL.revokeObjectURL(address)
  }
}

export async function saveAs(notebook: NotebookId, outputs: readonly Output[], as: SaveAs): Promise<void> {
  saveFile(`output.${as}`, await fileOf(notebook, outputs, as))
}

async function fileOf(notebook: NotebookId, outputs: readonly Output[], as: SaveAs): Promise<Blob> {
  if (as === 'txt') return new Blob([copied(outputs)], { type: 'text/plain' })
  if (as === 'csv') return new Blob([asCsv(await tableIn(notebook, outputs))], { type: 'text/csv' })
  const found = first(outputs, as === 'json' ? DATA : [as === 'html' ? 'text/html' : FILES[as]])
  if (found === null) throw new Error(t('There is nothing of this kind in the output.'))
  return as === 'html' || as === 'json' ? new Blob([await text(notebook, found.value)], { type: found.mime }) : binary(notebook, found.mime, found.value)
}
