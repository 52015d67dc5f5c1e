/** What is known of a notebook's code: questions to its runtime's language server, and what that says by itself. */
import { t } from '../i18n'
import type * as Y from 'yjs'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { cellOf, textOf } from '../model/notebook'
import type { CellId } from '../model/wire'
import type { MakeSocket } from '../room/link'
import type { Outline } from '../room/outline'
import { Connection } from './connection'
import { Documents } from './documents'
import { isSure, namesIn } from './names'
import * as protocol from './protocol'
import type { Action, Diagnostic, Documented, Offer, Position, Range, Signature, WorkspaceEdit } from './protocol'

export type Level = 'off' | 'syntax' | 'types'
export interface Place {
  /** Null: it is not in this notebook. */
  readonly cell: CellId | null
  /** The file inside the runtime, if it is not in this notebook. */
  readonly path: string | null
  readonly range: Range
}
export type CellEdits = ReadonlyMap<CellId, readonly protocol.TextEdit[]>

/** Ended so often within this time, it is left alone. */
const ENDS_MAX = 4
const ENDS_WITHIN_MS = 600_000
const WAIT_FIRST_MS = 1000
/** Nothing is wrong with it; whoever needs it next has another. */
const ORDERLY = new Set(['idle', 'renewed'])

const NOTHING: readonly Diagnostic[] = []

export class Language {
  /** What is wrong in each cell, as the server has it. */
  readonly problems: StoreApi<ReadonlyMap<CellId, readonly Diagnostic[]>> = createStore<ReadonlyMap<CellId, readonly Diagnostic[]>>(() => new Map())
  private connection: Connection | null = null
  private readonly documents: Documents
  private opening: Promise<boolean> | null = null
  private ends: number[] = []
  private refused = false
  private closed = false
  private names: ReadonlySet<string> | null | undefined
  private waiting = new Map<CellId, readonly Diagnostic[]>()
  private frame: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly url: string,
    private readonly doc: Y.Doc,
    private readonly outline: Outline,
    /** Called once, when there will be no server any more. */
    private readonly gaveUp: () => void,
    private readonly make?: MakeSocket,
  ) {
    this.documents = new Documents(doc, outline, { tell: (method, params) => this.connection?.tell(method, params) })
    doc.on('update', this.changed)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.frame)
    this.doc.off('update', this.changed)
    this.documents.close()
    this.connection?.close()
    this.problems.setState(new Map(), true)
  }

  /** Whether a server answers now; it is asked for if not. */
  need(): Promise<boolean> {
    if (this.isReady) return Promise.resolve(true)
    if (this.closed || this.refused || Date.now() < this.notBefore) return Promise.resolve(false)
    return (this.opening ??= new Promise((done) => this.open(done)))
  }

  async complete(cell: CellId, at: Position): Promise<readonly Offer[]> {
    return protocol.offers(await this.ask('completion', cell, at))
  }

  /** What documents an offer of the last question. */
  async documentation(offer: Documented): Promise<string | null> {
    return protocol.documentation(await this.connection?.ask('collegium/documentation', offer))
  }

  async hover(cell: CellId, at: Position): Promise<string | null> {
    return protocol.hover(await this.ask('hover', cell, at))
  }

  async signature(cell: CellId, at: Position): Promise<Signature | null> {
    return protocol.signature(await this.ask('signatureHelp', cell, at))
  }

  async definition(cell: CellId, at: Position): Promise<readonly Place[]> {
    return this.places(await this.ask('definition', cell, at))
  }

  async references(cell: CellId, at: Position): Promise<readonly Place[]> {
    return this.places(await this.ask('references', cell, at, { context: { includeDeclaration: true } }))
  }

  async rename(cell: CellId, at: Position, newName: string): Promise<CellEdits> {
    return this.inCells(protocol.workspaceEdit(await this.ask('rename', cell, at, { newName })))
  }

  async actions(cell: CellId, { range, whole }: Diagnostic): Promise<readonly { readonly title: string; readonly edits: CellEdits }[]> {
    if (!(await this.ready(cell))) return []
    const params = { textDocument: { uri: this.documents.uriOf(cell) }, range, context: { diagnostics: [whole] } }
    const found: readonly Action[] = protocol.actions(await this.connection?.ask('textDocument/codeAction', params))
    return found.map(({ title, edit }) => ({ title, edits: this.inCells(edit) })).filter(({ edits }) => edits.size > 0)
  }

  /** What the formatter makes of these texts. */
  async format(texts: readonly string[], indent: number): Promise<ReturnType<typeof protocol.formatted>> {
    if (!(await this.need())) return { cells: [], failed: t('The runtime has no formatter now.') }
    return protocol.formatted(await this.connection?.ask('collegium/format', { cells: texts, indent }), texts.length)
  }

  /** Other packages are installed than when it looked. */
  renew(): void {
    this.connection?.tell('collegium/renew', {})
  }

  get isReady(): boolean {
    return this.connection?.isOpen === true && this.documents.isOpen
  }

  /** The text of a cell that what is said of it is about. */
  told(cell: CellId): string | null {
    return this.documents.textOf(cell)
  }

  /** What may be said of a cell, at this level. */
  shown(cell: CellId, level: Level): readonly Diagnostic[] {
    const found = this.problems.getState().get(cell) ?? NOTHING
    if (level === 'off' || found.length === 0) return NOTHING
    const text = this.documents.textOf(cell) ?? ''
    return found.filter((one) => (level === 'types' || one.code === 'invalid-syntax') && isSure(one, text, () => this.known()))
  }

  private get notBefore(): number {
    const last = this.ends.at(-1)
    return last === undefined ? 0 : last + WAIT_FIRST_MS * 4 ** (this.ends.length - 1)
  }

  private open(done: (open: boolean) => void): void {
    const settle = (open: boolean) => {
      this.opening = null
      done(open)
    }
    this.connection = new Connection(
      this.url,
      {
        opened: (name) => {
          if (this.closed || !this.documents.open(name)) {
            this.refused = true
            this.connection?.close()
          }
          settle(this.documents.isOpen)
        },
        published: (uri, found) => this.heard(uri, found),
        closed: (code, why) => {
          this.over(code, why)
          settle(false)
        },
      },
      this.make,
    )
  }

  private over(code: number, why: string | null): void {
    this.connection = null
    this.documents.forget()
    this.waiting.clear()
    if (this.closed) return
    this.problems.setState(new Map(), true)
    // There is none in this runtime, or not for this person.
    if (code >= 4400 && code < 4500 && code !== 4429) this.refused = true
    else if (why === null || !ORDERLY.has(why)) {
      const now = Date.now()
      this.ends = [...this.ends.filter((then) => now - then < ENDS_WITHIN_MS), now]
      if (this.ends.length < ENDS_MAX) return
      this.refused = true
      if (why !== null) this.gaveUp()
    } else if (why === 'renewed') void this.need()
  }

  private heard(uri: string, found: unknown): void {
    const cell = this.documents.cellAt(uri)
    if (cell === null) return
    this.waiting.set(cell, protocol.diagnostics(found))
    // A notebook's cells are told of one by one, and drawn at once.
    this.frame ??= setTimeout(() => {
      this.frame = undefined
      const all = new Map(this.problems.getState())
      for (const [id, list] of this.waiting) if (list.length > 0) all.set(id, list)
        else all.delete(id)
      this.waiting.clear()
      this.problems.setState(all, true)
    }, 50)
  }

  private readonly changed = (): void => {
    this.names = undefined
  }

  private known(): ReadonlySet<string> | null {
    if (this.names === undefined) this.names = namesIn(this.texts())
    return this.names
  }

  private *texts(): Generator<string> {
    for (const id of this.outline.current()) {
      const text = this.documents.textOf(id)
      if (text !== null) yield text
    }
  }

  /** The server has the cell as it is now. */
  private async ready(cell: CellId): Promise<boolean> {
    if (!(await this.need())) return false
    this.documents.flush()
    return this.documents.textOf(cell) !== null && this.documents.textOf(cell) === this.textNow(cell)
  }

  private textNow(cell: CellId): string | null {
    const found = cellOf(this.doc, cell)
    return found ? textOf(found).toString() : null
  }

  private async ask(what: string, cell: CellId, position: Position, more: object = {}): Promise<unknown> {
    if (!(await this.ready(cell))) return null
    return this.connection?.ask(`textDocument/${what}`, { textDocument: { uri: this.documents.uriOf(cell) }, position, ...more }) ?? null
  }

  private places(answer: unknown): readonly Place[] {
    return protocol.locations(answer).flatMap(({ uri, range }): Place[] => {
      const cell = this.documents.cellAt(uri)
      const path = cell === null ? pathOf(uri) : null
      return cell === null && path === null ? [] : [{ cell, path, range }]
    })
  }

  /** The part of an edit that is about this notebook; nothing if another file would be changed too. */
  private inCells(edit: WorkspaceEdit): CellEdits {
    const found = new Map<CellId, readonly protocol.TextEdit[]>()
    for (const [uri, edits] of edit) {
      const cell = this.documents.cellAt(uri)
      if (cell === null) return new Map()
      found.set(cell, edits)
    }
    return found
  }
}

function pathOf(uri: string): string | null {
  if (!uri.startsWith('file:///')) return null
  try {
    return decodeURIComponent(uri.slice('file://'.length))
  } catch {
    // The server made it up.
    return null
  }
}
