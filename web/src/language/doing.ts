/** What a person does with what the language server knows: go there, rename, mend, put into shape. */
import { EditorView } from '@codemirror/view'
import { showAt } from '../editor/assist'
import { t, tn } from '../i18n'
import { factsOf } from '../model/facts'
import { cellOf, textOf } from '../model/notebook'
import type { CellId } from '../model/wire'
import { settings } from '../settings/store'
import { notify } from '../ui/kit/notify'
import type { Desk } from '../ui/notebook/desk'
import { change, offsetOf, positionOf } from './changes'
import type { CellEdits, Language, Place } from './language'
import type { Diagnostic, TextEdit } from './protocol'

const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u
const KEYWORDS = new Set('False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(' '))
const CONTENT = '/content/'

interface Here {
  readonly cell: CellId
  readonly view: EditorView
  readonly text: string
  readonly pos: number
}

/** The editor that the person is in. */
function here(desk: Desk): Here | null {
  const cell = desk.view.getState().focused
  const view = cell === null ? undefined : desk.editors.getState().get(cell)
  return cell === null || !view ? null : { cell, view, text: view.state.doc.toString(), pos: view.state.selection.main.head }
}

// going there

export async function goToDefinition(desk: Desk, language: Language, cell?: CellId, at?: number): Promise<void> {
  const from = cell === undefined || at === undefined ? here(desk) : { cell, pos: at }
  if (!from) return
  const text = textOf(cellOf(desk.room.doc, from.cell)!).toString()
  const places = await language.definition(from.cell, positionOf(text, from.pos))
  const [first] = places
  if (first === undefined) return notify({ title: t('No definition was found') })
  if (places.length > 1 && places.every((place) => place.cell !== null)) return list(desk, from.cell, from.pos, t('Definitions'), places)
  follow(desk, places.find((place) => place.cell !== null) ?? first)
}

export async function findReferences(desk: Desk, language: Language): Promise<void> {
  const from = here(desk)
  if (!from) return
  const places = (await language.references(from.cell, positionOf(from.text, from.pos))).filter(({ cell }) => cell !== null)
  if (places.length === 0) return notify({ title: t('No references were found') })
  list(desk, from.cell, from.pos, tn('{count} reference', '{count} references', places.length), places)
}

/** To a place: a cell of this notebook, a file of the runtime, or the words for where it is. */
export function follow(desk: Desk, { cell, path, range }: Place): void {
  if (cell === null) {
    if (path?.startsWith(CONTENT)) return desk.chrome.setState({ file: path })
    return notify({ title: t('It is defined in a package'), detail: t('{path}, line {line}', { path: path ?? '', line: range.start.line + 1 }) })
  }
  desk.goTo(cell, true)
  // Its editor comes with the focus, or a moment after it was scrolled to.
  requestAnimationFrame(() => {
    const view = desk.editors.getState().get(cell)
    if (!view) return
    const text = view.state.doc.toString()
    view.dispatch({ selection: { anchor: offsetOf(text, range.start), head: offsetOf(text, range.end) }, effects: EditorView.scrollIntoView(offsetOf(text, range.start), { y: 'nearest' }) })
    view.focus()
  })
}

function list(desk: Desk, cell: CellId, pos: number, title: string, places: readonly Place[]): void {
  const view = desk.editors.getState().get(cell)
  if (!view) return
  const element = document.createElement('div')
  element.className = 'cm-places'
  const head = document.createElement('strong')
  head.textContent = title
  element.append(head)
  const order = desk.outline.current()
  for (const place of places.slice(0, 100)) {
    const text = textOf(cellOf(desk.room.doc, place.cell!)!).toString()
    element.append(choice(t('Cell {cell}: {line}', { cell: order.indexOf(place.cell!) + 1, line: (text.split('\n')[place.range.start.line] ?? '').trim().slice(0, 80) }), () => {
      showAt(view, pos, null)
      follow(desk, place)
    }))
  }
  offer(view, pos, element)
}

/** Something to choose from at a place of the text; the first has the focus, Escape goes back. */
function offer(view: EditorView, pos: number, element: HTMLElement): void {
  element.dataset.keys = 'own'
  element.addEventListener('keydown', (event) => {
    const all = [...element.querySelectorAll<HTMLElement>('button, input')]
    const at = all.indexOf(document.activeElement as HTMLElement)
    const to = event.key === 'ArrowDown' ? at + 1 : event.key === 'ArrowUp' ? at - 1 : null
    if (event.key === 'Escape') {
      showAt(view, pos, null)
      view.focus()
    } else if (to !== null) all[(to + all.length) % all.length]?.focus()
    else return
    event.preventDefault()
    event.stopPropagation()
  })
  showAt(view, pos, [element])
  requestAnimationFrame(() => element.querySelector<HTMLElement>('input, button')?.focus())
}

function choice(text: string, run: () => void): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'cm-choice'
  button.textContent = text
  button.addEventListener('click', run)
  return button
}

// changing it

/** Ask for another name of what stands at the cursor, and write it wherever the old one is meant. */
export function rename(desk: Desk, language: Language): void {
  const from = here(desk)
  const word = from?.view.state.wordAt(from.pos)
  const old = word ? from!.text.slice(word.from, word.to) : ''
  if (!from || !word || !NAME.test(old) || KEYWORDS.has(old) || !desk.may('write')) return
  const { view, cell, pos } = from
  const form = document.createElement('form')
  form.className = 'cm-rename'
  const input = document.createElement('input')
  input.value = old
  input.spellcheck = false
  input.setAttribute('aria-label', t('New name'))
  const problem = document.createElement('p')
  problem.setAttribute('role', 'alert')
  form.append(input, problem)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const name = input.value.trim()
    if (!NAME.test(name) || KEYWORDS.has(name)) {
      problem.textContent = t('That is no name in Python.')
      return
    }
    showAt(view, pos, null)
    view.focus()
    if (name !== old) void language.rename(cell, positionOf(from.text, pos), name).then((edits) => renamed(desk, edits, old, name))
  })
  offer(view, word.from, form)
  requestAnimationFrame(() => input.select())
}

function renamed(desk: Desk, edits: CellEdits, old: string, name: string): void {
  if (edits.size === 0) return notify({ title: t('“{old}” cannot be renamed', { old }), detail: t('It comes from elsewhere, or its cell has errors.') })
  const { places, locked } = change(desk.room.doc, edits)
  if (places === 0) return notify({ title: t('Nothing was renamed'), detail: t('The cells it stands in are read-only.') })
  undoable(desk, tn('{count} place says “{name}” now', '{count} places say “{name}” now', places, { name }), locked)
}

/** What the server would do about a problem, to choose from. */
export async function quickFixes(desk: Desk, language: Language, cell: CellId, problem: Diagnostic, button?: HTMLButtonElement): Promise<void> {
  const view = desk.editors.getState().get(cell)
  if (!view) return
  if (button) {
    button.disabled = true
    button.textContent = t('Looking for a quick fix…')
  }
  const found = await language.actions(cell, problem)
  if (found.length === 0) {
    if (button) button.textContent = t('No quick fix is known')
    else notify({ title: t('No quick fix is known') })
    return
  }
  const pos = offsetOf(view.state.doc.toString(), problem.range.start)
  const element = document.createElement('div')
  element.className = 'cm-places'
  for (const { title, edits } of found) {
    element.append(choice(title, () => {
      showAt(view, pos, null)
      const { locked } = change(desk.room.doc, edits)
      undoable(desk, title, locked)
      view.focus()
    }))
  }
  offer(view, pos, element)
}

/** About the problem that the cursor is in. */
export async function quickFix(desk: Desk, language: Language): Promise<void> {
  const from = here(desk)
  if (!from) return
  const found = language.shown(from.cell, 'types').find(({ range }) => offsetOf(from.text, range.start) <= from.pos && from.pos <= offsetOf(from.text, range.end))
  if (!found) return notify({ title: t('No problem is known here') })
  await quickFixes(desk, language, from.cell, found)
}

/** What is wrong in the notebook, as far as somebody wants to know, from its beginning on. */
export function problemsOf(desk: Desk, language: Language): readonly { readonly cell: CellId; readonly index: number; readonly problem: Diagnostic }[] {
  const level = settings.getState().editor.diagnostics
  return desk.outline.current().flatMap((cell, index) => language.shown(cell, level).filter(({ severity }) => severity !== 'hint').map((problem) => ({ cell, index, problem })))
}

/** Go to the next cell and place where something is wrong, around the end. */
export function nextProblem(desk: Desk, language: Language, by: 1 | -1): void {
  const level = settings.getState().editor.diagnostics
  const order = desk.outline.current()
  const all = problemsOf(desk, language)
  if (all.length === 0) return notify({ title: level === 'off' ? t('Problems are not looked for') : t('No problems are known'), ...(level === 'off' ? { detail: t('Settings, Editor: Problems.') } : { kind: 'good' as const }) })
  const from = here(desk)
  const line = from ? positionOf(from.text, from.view.state.selection.main.from) : { line: 0, character: 0 }
  const at = [order.indexOf(desk.view.getState().focused ?? ''), line.line, line.character]
  const ahead = all.map((one) => ({ one, where: [one.index, one.problem.range.start.line, one.problem.range.start.character] }))
  const { one } = by > 0 ? (ahead.find(({ where }) => compare(where, at) > 0) ?? ahead[0]!) : (ahead.findLast(({ where }) => compare(where, at) < 0) ?? ahead.at(-1)!)
  follow(desk, { cell: one.cell, path: null, range: { start: one.problem.range.start, end: one.problem.range.start } })
  notify({ title: one.problem.message.split('\n')[0]!, detail: tn('{count} problem in this notebook', '{count} problems in this notebook', all.length) })
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((one, at) => one - b[at]!).find((difference) => difference !== 0) ?? 0
}

/** Put the code cells among these into shape. */
export async function format(desk: Desk, language: Language, ids: readonly CellId[]): Promise<void> {
  const cells = ids.flatMap((id) => {
    const cell = cellOf(desk.room.doc, id)
    return cell && desk.type(id) === 'code' && !factsOf(cell).readOnly ? [{ id, text: textOf(cell).toString() }] : []
  })
  if (cells.length === 0) return
  const { cells: shaped, failed } = await language.format(cells.map(({ text }) => text), settings.getState().editor.indent)
  if (failed !== null) return notify({ title: t('The cells could not be formatted'), detail: failed, kind: 'bad' })
  const edits = new Map(cells.flatMap(({ id, text }, at) => {
    const now = shaped[at]
    // Somebody wrote meanwhile: it is theirs.
    if (typeof now !== 'string' || now === text || textOf(cellOf(desk.room.doc, id)!).toString() !== text) return []
    return [[id, differences(text, now)] as const]
  }))
  const { cells: count, locked } = change(desk.room.doc, edits)
  if (count === 0) return notify({ title: t('Everything is in shape') })
  undoable(desk, tn('{count} cell formatted', '{count} cells formatted', count), locked)
}

/** Line by line, so that cursors and comments stay where they are. */
function differences(before: string, after: string): readonly TextEdit[] {
  const a = before.split('\n')
  const b = after.split('\n')
  if (a.length === b.length) {
    return a.flatMap((line, at) => (line === b[at] ? [] : [{ range: { start: { line: at, character: 0 }, end: { line: at, character: line.length } }, text: b[at]! }]))
  }
  let head = 0
  while (head < Math.min(a.length, b.length) - 1 && a[head] === b[head]) head++
  let foot = 0
  while (foot < Math.min(a.length, b.length) - head - 1 && a[a.length - 1 - foot] === b[b.length - 1 - foot]) foot++
  const last = a.length - 1 - foot
  return [{ range: { start: { line: head, character: 0 }, end: { line: last, character: a[last]!.length } }, text: b.slice(head, b.length - foot).join('\n') }]
}

function undoable(desk: Desk, title: string, locked: number): void {
  const detail = locked > 0 ? tn('{count} cell is read-only and stays as it is.', '{count} cells are read-only and stay as they are.', locked) : undefined
  notify({ title, kind: 'good', ...(detail !== undefined && { detail }), action: { label: t('Undo'), run: () => desk.undo() } })
}
