/** Paths inside a runtime, and what a file's name says of what is in it. No DOM, no fetch. */
import { t } from '../../i18n'

export const HOME = '/content'

export function joined(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut <= 0 ? '/' : path.slice(0, cut)
}

export function nameOf(path: string): string {
  return path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1)
}

/** Whether a path is this folder or lies in it. */
export function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

/** Where a path lies after its folder, or it itself, was moved. */
export function moved(path: string, from: string, to: string): string {
  return within(path, from) ? to + path.slice(from.length) : path
}

const BYTES_MAX = 255
const encoder = new TextEncoder()

/** Why this cannot be a name; null when it can. */
export function misnamed(name: string): string | null {
  if (name === '') return t('A name is needed.')
  if (name === '.' || name === '..') return t('This name means another folder.')
  if (name.includes('/')) return t('A name cannot hold a slash.')
  if (name.includes('\0')) return t('A name cannot hold a null character.')
  return encoder.encode(name).length > BYTES_MAX ? t('This name is too long.') : null
}

function parted(name: string): readonly [stem: string, ending: string] {
  const dot = name.search(/(?:\.tar)?\.[^.]+$/)
  return dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
}

/** The name itself, or the first of `name (1).txt`, `name (2).txt` … that nobody has. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const [stem, ending] = parted(name)
  for (let number = 0; ; number += 1) {
    const candidate = number === 0 ? name : `${stem} (${number})${ending}`
    if (!taken.has(candidate)) return candidate
  }
}

export type Sort = 'text' | 'table' | 'json' | 'image' | 'audio' | 'video' | 'none'

const SORTS: Readonly<Record<Exclude<Sort, 'text'>, readonly string[]>> = {
  table: ['csv', 'tsv'],
  json: ['json', 'ipynb', 'geojson'],
  image: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'ico', 'svg'],
  audio: ['mp3', 'wav', 'ogg', 'oga', 'flac', 'm4a', 'opus'],
  video: ['mp4', 'webm', 'ogv', 'mov', 'm4v'],
  none: ['pdf', 'zip', 'gz', 'bz2', 'xz', 'zst', 'tar', 'tgz', '7z', 'whl', 'so', 'pyc', 'parquet', 'feather', 'npy', 'npz', 'pkl', 'pickle', 'h5', 'hdf5', 'pt', 'pth', 'onnx', 'safetensors', 'sqlite', 'db', 'xlsx', 'docx', 'pptx', 'bin', 'exe', 'tif', 'tiff'],
}

export function ending(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
}

/** How a file of this name is shown; what claims to be text is looked at once more. */
export function sortOf(name: string): Sort {
  const end = ending(name)
  for (const [sort, endings] of Object.entries(SORTS)) if (endings.includes(end)) return sort as Sort
  return 'text'
}

/** The text of a file, or null when it is none: not UTF-8, or with null bytes. */
export function textIn(bytes: Uint8Array, whole: boolean): string | null {
  if (bytes.includes(0)) return null
  try {
    // `stream`: a preview may end inside of a character.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !whole })
  } catch {
    return null
  }
}

/** The line ends of a text: what an editor must write back so that nothing but the edits changes. */
export function lineEnds(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') && !/(^|[^\r])\n|\r(?!\n)/.test(text) ? '\r\n' : '\n'
}

/** Hidden characters of a stranger's name, made visible: they could turn the order of what is read around. */
export function shown(name: string): string {
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '\ufffd')
}
