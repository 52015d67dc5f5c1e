/** The notebook as the language server has it: its code cells in order, told again as far as they changed. */
import * as Y from 'yjs'
import { cellOf, cellsOf, textOf, typeOf } from '../model/notebook'
import type { CellId } from '../model/wire'
import type { Outline } from '../room/outline'

export interface Teller {
  tell(method: string, params: unknown): void
}

/** More than this is not read by anybody at once, nor by a server beside a kernel. */
export const CELLS_MAX = 5000
export const CHARACTERS_MAX = 3_000_000
const REST_MS = 250
/** While a cell of a megabyte is written, it is told less often. */
const REST_MS_PER_CHARACTER = 1 / 500

const LANGUAGE = 'python'

interface Told {
  version: number
  text: string
}

export class Documents {
  private readonly told = new Map<CellId, Told>()
  private order: readonly CellId[] = []
  private readonly dirty = new Set<CellId>()
  private version = 0
  private name = ''
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly farewells: (() => void)[] = []

  constructor(
    private readonly doc: Y.Doc,
    private readonly outline: Outline,
    private readonly to: Teller,
  ) {
    const cells = cellsOf(doc)
    const changed = (events: Y.YEvent<Y.AbstractType<unknown>>[]) => {
      for (const { path, keys } of events) {
        if (path.length > 0) this.dirty.add(String(path[0]))
        else for (const id of keys.keys()) this.dirty.add(id)
      }
      this.soon()
    }
    cells.observeDeep(changed)
    this.farewells.push(() => cells.unobserveDeep(changed), outline.subscribe(() => this.soon()))
  }

  close(): void {
    clearTimeout(this.timer)
    for (const farewell of this.farewells) farewell()
  }

  /** Whether somebody was told of the notebook. */
  get isOpen(): boolean {
    return this.name !== ''
  }

  uriOf(cell: CellId): string {
    return `notebook-cell:/${this.name}/${encodeURIComponent(cell)}`
  }

  /** The cell of this address; null: it is none of this notebook's. */
  cellAt(uri: string): CellId | null {
    const start = `notebook-cell:/${this.name}/`
    if (this.name === '' || !uri.startsWith(start)) return null
    const cell = unescaped(uri.slice(start.length))
    return cell !== null && this.told.has(cell) ? cell : null
  }

  /** The text that the server has of it. */
  textOf(cell: CellId): string | null {
    return this.told.get(cell)?.text ?? null
  }

  /** Tell of everything; false: it is too much. */
  open(name: string): boolean {
    this.forget()
    const texts = this.codeCells().map((id) => [id, this.textNow(id)] as const)
    if (texts.length > CELLS_MAX || texts.reduce((sum, [, text]) => sum + text.length, 0) > CHARACTERS_MAX) return false
    this.name = name
    this.order = texts.map(([id]) => id)
    for (const [id, text] of texts) this.told.set(id, { version: 1, text })
    this.version = 1
    const notebookDocument = { uri: this.uri, notebookType: 'jupyter-notebook', version: 1, cells: this.order.map((id) => this.listed(id)) }
    this.to.tell('notebookDocument/didOpen', { notebookDocument, cellTextDocuments: this.order.map((id) => this.described(id)) })
    return true
  }

  /** Nobody knows of it any more. */
  forget(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.name = ''
    this.told.clear()
    this.dirty.clear()
    this.order = []
  }

  /** Tell what changed, now. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.isOpen) return
    const cells = { ...this.restructured(), ...this.retold() }
    if (Object.keys(cells).length === 0) return
    const notebookDocument = { uri: this.uri, version: ++this.version }
    this.to.tell('notebookDocument/didChange', { notebookDocument, change: { cells } })
  }

  private get uri(): string {
    return `file:///content/.${this.name}.ipynb`
  }

  private soon(): void {
    if (!this.isOpen || this.timer !== undefined) return
    const longest = [...this.dirty].reduce((most, id) => Math.max(most, this.told.get(id)?.text.length ?? 0), 0)
    this.timer = setTimeout(() => this.flush(), REST_MS + longest * REST_MS_PER_CHARACTER)
  }

  private codeCells(): CellId[] {
    return this.outline.current().filter((id) => {
      const cell = cellOf(this.doc, id)
      return cell !== undefined && typeOf(cell) === 'code'
    })
  }

  private textNow(id: CellId): string {
    return textOf(cellOf(this.doc, id)!).toString()
  }

  private listed(id: CellId): object {
    return { kind: 2, document: this.uriOf(id) }
  }

  private described(id: CellId): object {
    const { version, text } = this.told.get(id)!
    return { uri: this.uriOf(id), languageId: LANGUAGE, version, text }
  }

  /** Cells that came, went or moved: what lies between the part at the head and the part at the foot that stay. */
  private restructured(): object {
    const before = this.order
    const now = this.codeCells().slice(0, CELLS_MAX)
    let head = 0
    while (head < Math.min(before.length, now.length) && before[head] === now[head]) head++
    let foot = 0
    while (foot < Math.min(before.length, now.length) - head && before[before.length - 1 - foot] === now[now.length - 1 - foot]) foot++
    if (head === before.length && head === now.length) return {}
    const middle = now.slice(head, now.length - foot)
    const present = new Set(now)
    const gone = before.filter((id) => !present.has(id))
    const come = middle.filter((id) => !this.told.has(id))
    const didClose = gone.map((id) => ({ uri: this.uriOf(id) }))
    for (const id of gone) this.told.delete(id)
    for (const id of come) this.told.set(id, { version: 1, text: this.textNow(id) })
    this.order = now
    const array = { start: head, deleteCount: before.length - head - foot, cells: middle.map((id) => this.listed(id)) }
    return { structure: { array, didOpen: come.map((id) => this.described(id)), didClose } }
  }

  private retold(): object {
    const textContent = [...this.dirty].flatMap((id) => {
      const known = this.told.get(id)
      const text = known && cellOf(this.doc, id) ? this.textNow(id) : undefined
      if (!known || text === undefined || text === known.text || text.length > CHARACTERS_MAX) return []
      known.text = text
      known.version += 1
      return [{ document: { uri: this.uriOf(id), version: known.version }, changes: [{ text }] }]
    })
    this.dirty.clear()
    return textContent.length > 0 ? { textContent } : {}
  }
}

function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    // The server made it up.
    return null
  }
}
