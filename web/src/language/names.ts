/** What a server that reads a notebook from top to bottom cannot know: cells run in any order, and IPython adds names. */
import type { Diagnostic } from './protocol'

/** Put there by IPython, or by a line of its own. */
const GIVEN = new Set([
  'display', 'get_ipython', 'In', 'Out', '_', '__', '___', '_i', '_ii', '_iii', '_ih', '_oh', '_dh', '_exit_code', 'exit', 'quit', 'open', 'copyright', 'credits', 'license', 'help',
])
const NUMBERED = /^_i?\d+$/
/** Typed alone on a line, it is a magic without its sign. */
const AUTOMAGIC = /^(?:ls|ll|la|lk|lf|pwd|cd|cat|cp|mv|rm|mkdir|rmdir|man|less|more|clear|who|whos|history|pip|conda|time|timeit|env|magic|lsmagic)$/

/** Whoever runs one of these has names that nobody can read. */
const UNREADABLE_MAGIC = new Set(['run', 'pylab', 'load', 'rerun', 'recall', 'autocall', 'macro'])
const UNREADABLE_CALL = new Set(['exec', 'globals', 'locals', 'vars'])

/** Text and comments, names, numbers, what assigns, a new line, anything else. Each is read in one go. */
const TOKEN = /("""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|#[^\n]*)|([\p{L}_][\p{L}\p{N}_]*)|(\d[\w.]*)|(:=|[=!<>]=|->|(?:\*\*|\/\/|<<|>>|[-+*/%&|^@])?=)|(\n)|([^\S\n]+)|[^]/gu
const NAME = /[\p{L}_][\p{L}\p{N}_]*/gu
const ASSIGNING = /^(?:\*\*|\/\/|<<|>>|[-+*/%&|^@])?=$/

/** The names that some cell gives a meaning to; null: there may be any. */
export function namesIn(texts: Iterable<string>): ReadonlySet<string> | null {
  const names = new Set<string>()
  for (const text of texts) if (!read(text, names)) return null
  return names
}

/** Collects the names that a text binds, and some that it may bind; false: it may bind any. */
function read(text: string, names: Set<string>): boolean {
  /** The names of this statement that stand left of what assigns. */
  let left: string[] = []
  let before = ''
  let depth = 0
  /** What follows is bound: up to `in`, to the end of the statement, or for one name. */
  let binding: 'for' | 'all' | 'next' | null = null
  let first = true
  TOKEN.lastIndex = 0
  for (let token = TOKEN.exec(text); token !== null; token = TOKEN.exec(text)) {
    const [all, quoted, name, , operator, line, blank] = token
    if (quoted !== undefined || blank !== undefined) continue
    if (line !== undefined || (all === ';' && depth === 0)) {
      if (depth === 0) [left, binding, first, before] = [[], null, true, '']
      continue
    }
    if (first && (all === '%' || all === '!')) {
      const end = text.indexOf('\n', token.index)
      const words = text.slice(token.index, end < 0 ? undefined : end).match(NAME) ?? []
      if (all === '%' && UNREADABLE_MAGIC.has(words[0] ?? '')) return false
      for (const word of words) names.add(word)
      if (end < 0) break
      TOKEN.lastIndex = end
      continue
    }
    if (name !== undefined) {
      if (UNREADABLE_CALL.has(name) && before !== '.' && before !== 'def') return false
      if (name === 'import' || name === 'global' || name === 'nonlocal' || (name === 'case' && first)) binding = 'all'
      else if (name === 'for') binding = 'for'
      else if (name === 'def' || name === 'class' || name === 'as') binding = binding === 'all' ? binding : 'next'
      else if (name === 'in' && binding === 'for') binding = null
      else if (binding !== null) {
        names.add(name)
        if (binding === 'next') binding = null
      } else if (before !== '.') left.push(name)
    } else if (all === '*' && before === 'import') return false
    else if ('([{'.includes(all)) depth += 1
    else if (')]}'.includes(all)) depth = Math.max(0, depth - 1)
    else if (operator === ':=') names.add(before)
    else if (depth === 0 && ((operator !== undefined && ASSIGNING.test(operator)) || (all === ':' && left.length === 1 && left[0] === before))) {
      for (const one of left) names.add(one)
      left = []
    }
    before = all
    first = false
  }
  return true
}

/** Whether it may be said: an error of this cell, whatever ran before it. `others`: what other cells name. */
export function isSure({ code, message, range }: Diagnostic, text: string, others: () => ReadonlySet<string> | null): boolean {
  // A comprehension that awaits is right at the head of a cell, which is where notebooks write it.
  if (code === 'invalid-syntax') return !/outside of an asynchronous function/.test(message)
  if (code !== 'unresolved-reference' && code !== 'possibly-unresolved-reference') return true
  const line = text.split('\n', range.start.line + 1)[range.start.line] ?? ''
  const name = line.slice(range.start.character, range.start.line === range.end.line ? range.end.character : undefined)
  if (GIVEN.has(name) || NUMBERED.test(name) || (AUTOMAGIC.test(name) && line.trimStart().startsWith(name))) return false
  const names = others()
  return names !== null && !names.has(name)
}
