/** The language server's part of one open notebook: what it knows, in the words and places of the editors. */
import type { Completion } from '@codemirror/autocomplete'
import { t } from '../i18n'
import { cellOf, textOf } from '../model/notebook'
import type { CellId } from '../model/wire'
import { notify } from '../ui/kit/notify'
import type { Desk } from '../ui/notebook/desk'
import { positionOf } from './changes'
import * as doing from './doing'
import { Editors } from './editors'
import { Language } from './language'
import { rendered } from './markdown'
import type { Documented } from './protocol'

/** Whatever is run by such a cell, the server may know other packages and files afterwards. */
const INSTALLS = /^[ \t]*(?:[%!]{1,2}\s*(?:\w+\s+)*(?:pip|uv|conda|mamba|git)\b|%%writefile\b|%%file\b)/m

export class Knowing {
  language: Language | null = null
  readonly doing = doing
  private runtime: string | null = null
  private readonly editors: Editors
  private readonly farewells: (() => void)[] = []

  constructor(readonly desk: Desk) {
    this.editors = new Editors(desk)
    this.farewells.push(desk.session.state.subscribe(() => this.attend()), desk.room.state.subscribe(() => this.attend()))
    this.farewells.push(desk.room.listen((message) => message.type === 'execution' && (message.state === 'finished' || message.state === 'failed') && this.ran(message.cell)))
    this.attend()
    desk.whenClosed(() => this.close())
  }

  close(): void {
    for (const farewell of this.farewells) farewell()
    this.editors.close()
    this.language?.close()
    this.language = null
  }

  async need(): Promise<boolean> {
    return (await this.language?.need()) ?? false
  }

  async complete(cell: CellId, code: string, cursor: number): Promise<readonly Completion[]> {
    const offers = (await this.language?.complete(cell, positionOf(code, cursor))) ?? []
    return offers.map(({ label, insert, kind, detail, documentation }, at) => ({
      label,
      type: kind,
      boost: -(20 * at) / offers.length - (label.startsWith('_') ? 20 : 0),
      ...(insert !== label && { apply: insert }),
      ...(detail !== '' && { detail: detail.length > 40 ? `${detail.slice(0, 39)}…` : detail }),
      ...(documentation && { info: () => this.documentation(documentation) }),
    }))
  }

  private async documentation(offer: Documented): Promise<Node | null> {
    const text = (await this.language?.documentation(offer)) ?? null
    return text === null ? null : rendered(text)
  }

  async hover(cell: CellId, code: string, cursor: number): Promise<Node | null> {
    const text = (await this.language?.hover(cell, positionOf(code, cursor))) ?? null
    // What it does not know it calls so.
    return text === null || /^```python\s*Unknown\s*```$/.test(text.trim()) ? null : rendered(text.replaceAll(' -> Unknown', ''))
  }

  async signature(cell: CellId, code: string, cursor: number): Promise<Node | null> {
    const found = await this.language?.signature(cell, positionOf(code, cursor))
    if (!found) return null
    const element = document.createElement('div')
    const label = document.createElement('code')
    const [from, to] = found.active ?? [0, 0]
    const active = document.createElement('strong')
    active.textContent = found.label.slice(from, to)
    label.append(found.label.slice(0, from), active, found.label.slice(to))
    label.className = 'cm-signature'
    element.append(label)
    const [first = ''] = found.doc.trim().split(/\n\s*\n/)
    if (first !== '') element.append(rendered(first))
    return element
  }

  /** Follow the runtime: another one has another server, and without one there is nothing to know. */
  private attend(): void {
    const { runtime } = this.desk.session.state.getState()
    const now = runtime?.state === 'ready' && this.desk.may('run') ? runtime.id : null
    if (now === this.runtime) return
    this.runtime = now
    this.language?.close()
    this.language = null
    if (now === null) return this.editors.follow(null)
    const url = new URL(`/api/v1/runtimes/${encodeURIComponent(now)}/language`, location.href)
    url.protocol = url.protocol.replace('http', 'ws')
    this.language = new Language(url.href, this.desk.room.doc, this.desk.outline, () =>
      notify({ title: t('Help with the code has stopped'), detail: t('The language server of this runtime ended again and again. Completion from the kernel goes on.') }),
    )
    this.editors.follow(this.language)
  }

  /** A cell ended that may have installed something. */
  private ran(id: CellId): void {
    const cell = this.language?.isReady ? cellOf(this.desk.room.doc, id) : undefined
    if (cell && INSTALLS.test(textOf(cell).toString())) this.language?.renew()
  }
}
