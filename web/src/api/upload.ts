/** Sending a file with its progress: XMLHttpRequest, since fetch cannot tell how much has left. */
import { ApiError, address, problem } from './client'

export interface Upload<Answer> {
  readonly done: Promise<Answer>
  readonly cancel: () => void
}

/** Rejects with an ApiError; a cancelled upload has the code `cancelled`. */
export function send<Answer>(path: string, query: Readonly<Record<string, string | null>>, body: Blob, onProgress: (share: number) => void): Upload<Answer> {
  const request = new XMLHttpRequest()
  const done = new Promise<Answer>((resolve, reject) => {
    request.open('POST', address(path, query))
    request.setRequestHeader('accept', 'application/json')
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.total === 0 ? 1 : event.loaded / event.total)
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) return reject(problem(request.status, request.responseText))
      try {
        resolve(JSON.parse(request.responseText) as Answer)
      } catch {
        reject(new ApiError(request.status, 'error', 'The server’s answer could not be read.'))
      }
    }
    request.onerror = () => reject(new ApiError(0, 'offline', 'The connection broke before the file had arrived.'))
    request.onabort = () => reject(new ApiError(0, 'cancelled', 'Cancelled.'))
    request.send(body)
  })
  return { done, cancel: () => request.abort() }
}

/** A notebook becomes a document; anything else is kept as it is. `folder` may be `root`; null: where such things go. */
export function uploadFile(file: File, folder: string | null, onProgress: (share: number) => void): Upload<{ id: string; name: string }> {
  if (/\.ipynb$/i.test(file.name)) return send('/notebooks', { name: file.name, folder }, file.slice(0, file.size, 'application/json'), onProgress)
  return send('/drive/files', { name: file.name, parent: folder }, file.slice(0, file.size, 'application/octet-stream'), onProgress)
}
