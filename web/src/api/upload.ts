/** Sending a file with its progress: XMLHttpRequest, since fetch cannot tell how much has left. */
import { t } from '../i18n'
import { ApiError, address, problem } from './client'

export interface Upload<Answer> {
  readonly done: Promise<Answer>
  readonly cancel: () => void
}

/** Rejects with an ApiError; a cancelled upload has the code `cancelled`. */
export function send<Answer>(method: 'POST' | 'PUT', path: string, query: Readonly<Record<string, string | null>>, body: Blob, onProgress: (share: number) => void): Upload<Answer> {
  const request = new XMLHttpRequest()
  const done = new Promise<Answer>((resolve, reject) => {
    request.open(method, address(path, query))
    request.setRequestHeader('accept', 'application/json')
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.total === 0 ? 1 : event.loaded / event.total)
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) return reject(problem(request.status, request.responseText))
      try {
        resolve(JSON.parse(request.responseText) as Answer)
      } catch {
        reject(new ApiError(request.status, 'error', t('The server’s answer could not be read.')))
      }
    }
    request.onerror = () => reject(new ApiError(0, 'offline', t('The connection broke before the file had arrived.')))
    request.onabort = () => reject(new ApiError(0, 'cancelled', 'Cancelled.'))
    request.send(body)
  })
  return { done, cancel: () => request.abort() }
}

/** A notebook becomes a document; anything else is kept as it is. `folder` may be `root`; null: where such things go. */
export function uploadFile(file: File, folder: string | null, onProgress: (share: number) => void): Upload<{ id: string; name: string }> {
  if (/\.ipynb$/i.test(file.name)) return send('POST', '/notebooks', { name: file.name, folder }, file.slice(0, file.size, 'application/json'), onProgress)
  return send('POST', '/drive/files', { name: file.name, parent: folder }, file.slice(0, file.size, 'application/octet-stream'), onProgress)
}

/** The file is merged with what the notebook says; `overlaps`: so many cells wait for a decision. */
export function mergeFile(file: File, notebook: string, onProgress: (share: number) => void): Upload<{ seq: number; overlaps: number }> {
  return send('PUT', `/notebooks/${encodeURIComponent(notebook)}/content`, {}, file.slice(0, file.size, 'application/json'), onProgress)
}

/** What came of it, for the person. */
export function mergedText(overlaps: number): string {
  if (overlaps === 0) return 'Merged'
  return overlaps === 1 ? 'Merged; one cell waits for your decision' : `Merged; ${overlaps} cells wait for your decision`
}
