/** Pictures that belong to a text cell: kept in its attachments, as nbformat has it, and shown where the text names them. */
import type { EditorView } from '@codemirror/view'
import type * as Y from 'yjs'
import { t } from '../../i18n'
import { cellOf } from '../../model/notebook'
import type { CellId } from '../../model/wire'
import { notify } from '../kit'
import type { Desk } from './desk'

/** An edit is at most 4 MB on its way, and Base64 makes three bytes four. */
export const PICTURE_BYTES_MAX = 2_500_000
const SHOWN = /^image\/(?:png|jpeg|gif|webp|bmp)$/
/** A photograph is made smaller than this, on its longer side, when it is too large as it is. */
const SIDE_MAX = 2000

/** Pictures become attachments, and their names are written at `at`, or at the cursor where they have been waited for. */
export async function attach(desk: Desk, id: CellId, files: readonly File[], view: EditorView, at: number): Promise<void> {
  for (const file of files) {
    const picture = await fitting(file)
    const attachments = cellOf(desk.room.doc, id)?.get('att') as Y.Map<unknown> | undefined
    if (!attachments) return
    if (picture === null) {
      notify({ title: t('This picture was not taken'), detail: t('{name} is no picture that a text cell shows, or larger than {size} MB.', { name: file.name, size: PICTURE_BYTES_MAX / 1e6 }), kind: 'bad' })
      continue
    }
    const name = freeName(file.name, picture.type, (taken) => attachments.has(taken))
    attachments.set(name, { [picture.type]: await base64(picture) })
    const words = `![${name.replace(/[[\]\\]/g, '')}](attachment:${encodeURIComponent(name)})`
    // Others may have typed while the picture was read.
    const place = Math.min(at, view.state.doc.length)
    view.dispatch({ changes: { from: place, insert: words }, selection: { anchor: place + words.length }, userEvent: 'input.paste' })
  }
}

/** Ask for a picture of this machine. */
export function choosePicture(taken: (files: readonly File[]) => void): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = 'image/png,image/jpeg,image/gif,image/webp,image/bmp'
  input.multiple = true
  input.onchange = () => taken([...(input.files ?? [])])
  input.click()
}

/** A name that no other picture of the cell has: `plot.png`, `plot-1.png` … */
export function freeName(wish: string, type: string, taken: (name: string) => boolean): string {
  const ending = type === 'image/jpeg' ? 'jpg' : type.slice('image/'.length)
  const stem = wish.replace(/\.\w+$/, '').replace(/[^\p{L}\p{N}_. -]+/gu, '').trim().slice(0, 60) || 'picture'
  for (let number = 0; ; number++) {
    const name = number === 0 ? `${stem}.${ending}` : `${stem}-${number}.${ending}`
    if (!taken(name)) return name
  }
}

async function fitting(file: File): Promise<Blob | null> {
  if (SHOWN.test(file.type) && file.size <= PICTURE_BYTES_MAX) return file
  // What moves would stand still, and what is no picture cannot be made smaller.
  if (file.type === 'image/gif' || !file.type.startsWith('image/')) return null
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (bitmap === null) return null
  const scale = Math.min(1, SIDE_MAX / Math.max(bitmap.width, bitmap.height))
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)))
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  const smaller = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 })
  return smaller.size <= PICTURE_BYTES_MAX ? smaller : null
}

async function base64(picture: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(reader.error ?? new Error('the picture could not be read'))
    reader.readAsDataURL(picture)
  })
}
