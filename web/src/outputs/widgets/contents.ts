/** What widgets need that is too large for the socket: contents by their hash, and the scripts of packages. */
import { t } from '../../i18n'
import type { LargeContent, NotebookId, WidgetBuffer } from '../../model/wire'

const SCRIPT = /^@?[\w.-]+(?:\/[\w.-]+)*$/

export class Contents {
  private readonly scripts = new Map<string, Promise<string>>()

  constructor(private readonly notebook: NotebookId) {}

  /** The whole state: large values come from elsewhere. */
  async state(small: Readonly<Record<string, unknown>>, large: Readonly<Record<string, LargeContent>> = {}): Promise<Record<string, unknown>> {
    const fetched = await Promise.all(Object.entries(large).map(async ([name, { sha256 }]) => [name, await (await this.fetch(`widgets/${sha256}`)).json()] as const))
    return { ...small, ...Object.fromEntries(fetched) }
  }

  async bytes(buffer: WidgetBuffer): Promise<ArrayBuffer> {
    if (typeof buffer === 'string') return Uint8Array.from(atob(buffer), (letter) => letter.charCodeAt(0)).buffer
    return (await this.fetch(`widgets/${buffer.sha256}`)).arrayBuffer()
  }

  /** A script of a package in the notebook's runtime. */
  script(path: string): Promise<string> {
    if (!SCRIPT.test(path) || path.split('/').includes('..')) throw new Error(t('This is no name of a script.'))
    let loading = this.scripts.get(path)
    if (!loading) {
      loading = this.fetch(`nbextensions/${path.split('/').map(encodeURIComponent).join('/')}`).then((answer) => answer.text())
      loading.catch(() => this.scripts.delete(path))
      this.scripts.set(path, loading)
    }
    return loading
  }

  /** Hand over bytes that are too many for the socket; gives their name there. */
  async upload(bytes: ArrayBuffer): Promise<string> {
    const answer = await this.fetch('widgets', { method: 'POST', body: bytes, headers: { 'Content-Type': 'application/octet-stream' } })
    return ((await answer.json()) as { name: string }).name
  }

  private async fetch(what: string, more: RequestInit = {}): Promise<Response> {
    const answer = await fetch(`/api/v1/notebooks/${encodeURIComponent(this.notebook)}/${what}`, { credentials: 'same-origin', ...more })
    if (answer.ok) return answer
    const problem = (await answer.json().catch(() => null)) as { detail?: string } | null
    throw new Error(problem?.detail ?? t('The server did not answer ({status}).', { status: answer.status }))
  }
}
