/** Whoever knows the code of a cell: its kernel, the language server beside it, and at least the notebook's own words. */
import type { Completion } from '@codemirror/autocomplete'
import type * as Y from 'yjs'
import type { Assistant, Offers } from '../../editor/assist'
import { t } from '../../i18n'
import type { Knowing } from '../../language/knowing'
import type { Language } from '../../language/language'
import { cellOf, textOf, typeOf } from '../../model/notebook'
import { languageOf as languageIn } from '../../model/runtimes'
import { type CellId, joined, type MimeValue } from '../../model/wire'
import type { Completion as Answer, Session } from '../../session/session'
import { notify } from '../kit'
import type { Desk } from './desk'

/** What is not there by then is not waited for: somebody is writing. */
const KERNEL_MS = 1200
const LANGUAGE_MS = 1500
const WORD = /[\p{L}_][\p{L}\p{N}_]{2,40}/gu
const WORDS_CHARACTERS_MAX = 400_000

const kernels: Readonly<Record<string, string>> = { function: 'function', class: 'class', module: 'namespace', instance: 'variable', statement: 'variable', keyword: 'keyword', param: 'property', property: 'property', magic: 'keyword', path: 'text' }

const known = new WeakMap<Desk, Promise<Knowing | null>>()

/** Whether what runs here, or would, is Python: the one language that a server knows. */
export function isPython(desk: Desk): boolean {
  return (desk.session.state.getState().kernel?.language?.toLowerCase() ?? languageIn(desk.room.doc)) === 'python'
}

/** The language server's part, once it was needed; null: there can be none, since nobody runs Python here. */
export function knowingOf(desk: Desk): Promise<Knowing | null> {
  if (desk.session.state.getState().runtime?.state !== 'ready' || !isPython(desk) || !desk.may('run')) return Promise.resolve(null)
  const found = known.get(desk)
  if (found) return found
  const coming = import('../../language/knowing').then(
    ({ Knowing }) => new Knowing(desk),
    () => {
      // Without its code the kernel answers alone; whoever needs it next asks again.
      known.delete(desk)
      return null
    },
  )
  known.set(desk, coming)
  return coming
}

/** Do something that only the language server can help with, or say that nobody can. */
export async function knowing(desk: Desk, act: (doing: Knowing['doing'], language: Language) => void): Promise<void> {
  const found = await knowingOf(desk)
  if ((await found?.need()) && found?.language) act(found.doing, found.language)
  else notify({ title: t('Nobody knows the code now'), detail: t('Connect to a runtime with Python: its language server answers this.') })
}

export function assistantOf(desk: Desk, cell: CellId): Assistant {
  const { session } = desk
  return {
    wrote: () => void knowingOf(desk).then((knowing) => knowing?.need()),
    async complete(code, cursor) {
      const [kernel, server] = await Promise.all([
        awake(session) ? within(session.complete(code, cursor), KERNEL_MS) : null,
        within(knowingOf(desk).then((knowing) => knowing?.complete(cell, code, cursor) ?? null), LANGUAGE_MS),
      ])
      const start = wordStart(code, cursor)
      const live = kernel && offered(kernel, code, start)
      if (live && live.from !== start) return live
      const options = merged(live?.options ?? [], server ?? [])
      if (options.length > 0) return { from: start, to: cursor, options }
      return code[start - 1] === '.' ? null : { from: start, to: cursor, options: words(desk, code.slice(start, cursor)) }
    },
    async describe(code, cursor) {
      const [kernel, server] = await Promise.all([
        awake(session) ? within(session.inspect(code, cursor, 0), KERNEL_MS) : null,
        within(knowingOf(desk).then((knowing) => knowing?.hover(cell, code, cursor) ?? null), LANGUAGE_MS),
      ])
      const text = kernel ? plain(kernel['text/plain']) : null
      const value = text === null ? null : server ? valueIn(text) : text
      const nodes: Node[] = [...(value === null ? [] : [block(value)]), ...(server ? [server] : [])]
      return nodes.length > 0 ? nodes : null
    },
    signature: (code, cursor) => knowingOf(desk).then((knowing) => knowing?.signature(cell, code, cursor) ?? null),
  }
}

/** A busy kernel answers only when it is done, which is too late for a tooltip. */
function awake(session: Session): boolean {
  return session.state.getState().kernel?.state === 'idle'
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<null>((done) => {
    timer = setTimeout(() => done(null), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function wordStart(code: string, cursor: number): number {
  return cursor - /[\p{L}\p{N}_]*$/u.exec(code.slice(Math.max(0, cursor - 100), cursor))![0].length
}

/** The kernel's matches; those that repeat what stands before the word are cut to the word. */
function offered(answer: Answer, code: string, start: number): Offers {
  const before = code.slice(answer.start, start)
  const cut = answer.start < start && answer.matches.every((match) => match.startsWith(before)) ? before.length : 0
  const options = answer.matches.map((match, at): Completion => ({ label: match.slice(cut), type: kernels[answer.types[at] ?? ''] ?? 'text', boost: 20 - (20 * at) / answer.matches.length }))
  return { from: cut > 0 ? start : answer.start, to: answer.end, options }
}

/** What is alive first; of what both know, the kernel's place and the server's words. */
function merged(live: readonly Completion[], served: readonly Completion[]): Completion[] {
  const told = new Map(served.map((one) => [one.label, one]))
  const both = live.map((one): Completion => {
    const { info, detail, type } = told.get(one.label) ?? {}
    return { ...one, ...(info && { info }), ...(detail && { detail }), ...(type && one.type === 'text' && { type }) }
  })
  const names = new Set(live.map(({ label }) => label))
  return [...both, ...served.filter(({ label }) => !names.has(label))]
}

/** Nobody knows anything: what was written before may be meant again. */
function words(desk: Desk, written: string): Completion[] {
  const found = new Set<string>()
  let left = WORDS_CHARACTERS_MAX
  for (const id of desk.outline.current()) {
    const cell = cellOf(desk.room.doc, id)
    if (!cell || typeOf(cell) !== 'code') continue
    const { length, words } = wordsIn(textOf(cell))
    left -= length
    if (left < 0) break
    for (const word of words) found.add(word)
  }
  found.delete(written)
  return [...found].map((label) => ({ label, type: 'text' }))
}

interface Spoken {
  readonly length: number
  readonly words: readonly string[]
}
const spoken = new WeakMap<Y.Text, Spoken>()

/** Looked for once until the cell is written in: among a thousand cells only one has other words at the next key. */
function wordsIn(text: Y.Text): Spoken {
  const known = spoken.get(text)
  if (known) return known
  const source = text.toString()
  const made = { length: source.length, words: [...new Set(Array.from(source.matchAll(WORD), ([word]) => word))] }
  spoken.set(text, made)
  const changed = () => {
    spoken.delete(text)
    text.unobserve(changed)
  }
  text.observe(changed)
  return made
}

/** Of what IPython says of a value: what it is now. The server says the rest better. */
function valueIn(text: string): string | null {
  const lines = text.split('\n').filter((line) => /^(?:Type|String form|Length|Value):/.test(line))
  return lines.length === 0 || lines.some((line) => /^Type:\s+(?:function|module|type|method|builtin_function_or_method|ABCMeta)$/.test(line)) ? null : lines.join('\n')
}

function block(text: string): HTMLElement {
  const pre = document.createElement('div')
  pre.className = 'cm-inspection-value'
  pre.textContent = text
  return pre
}

function plain(value: MimeValue | undefined): string | null {
  if (typeof value !== 'string' && !Array.isArray(value)) return null
  // Colours of a terminal, which are none here.
  return joined(value as string | string[]).replace(/\u001b\[[\d;]*m/g, '')
}
