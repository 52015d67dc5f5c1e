/** Every text of the page is in every catalogue, and no catalogue has more. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../ui/commands/table'
import { SIDES } from '../ui/notebook/sides'
import { SNIPPETS } from '../ui/snippets/snippets'
import de from './de'
import { type Catalogue, speak, t, tn } from './index'

const SOURCES = join(import.meta.dirname, '..')

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.|^schema\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

interface Said {
  readonly texts: Set<string>
  /** By the form for many, the form for one. */
  readonly counted: Map<string, string>
  readonly odd: string[]
}

function said(): Said {
  const found: Said = { texts: new Set(), counted: new Map(), odd: [] }
  const literal = (node: ts.Expression | undefined): string | null => (node && ts.isStringLiteralLike(node) ? node.text : null)
  for (const file of files(SOURCES)) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
        const name = node.expression.text
        const [first, second] = node.arguments.map(literal)
        if ((name === 't' || name === 'msg') && typeof first === 'string') found.texts.add(first)
        if (name === 'tn') {
          if (typeof first === 'string' && typeof second === 'string') found.counted.set(second, first)
          else found.odd.push(`${file}: ${node.getText(source)}`)
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  for (const { name, menu, under, also } of COMMANDS) for (const text of [name, menu, under, also?.name]) if (text !== undefined) found.texts.add(text)
  for (const { name } of [...SIDES, ...SNIPPETS]) found.texts.add(name)
  return found
}

const holes = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort()
const { texts, counted, odd } = said()

describe.each<[string, Catalogue]>([['de', de]])('the catalogue %s', (language, catalogue) => {
  it('has every text, and nothing else', () => {
    const wanted = new Set([...texts, ...counted.keys()])
    expect({ missing: [...wanted].filter((text) => !Object.hasOwn(catalogue, text)).sort(), unused: Object.keys(catalogue).filter((text) => !wanted.has(text)), odd }).toEqual({ missing: [], unused: [], odd: [] })
  })

  it('keeps what is filled in', () => {
    const wrong = Object.entries(catalogue).filter(([english, other]) => (typeof other === 'string' ? [other] : Object.values(other)).some((form) => holes(form).some((hole) => !holes(english).includes(hole))))
    expect(wrong).toEqual([])
  })

  it('has a form for every number of what counts', () => {
    const kinds = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    expect([...counted.keys()].filter((text) => typeof catalogue[text] !== 'object' || kinds.some((kind) => !(kind in (catalogue[text] as object))))).toEqual([])
  })
})

/** Attributes and properties that people read. */
const READ = new Set(['title', 'label', 'aria-label', 'aria-valuetext', 'placeholder', 'alt', 'hint', 'detail', 'description', 'confirm'])
/** Names and signs that are the same in every language. */
const SAME = /^(?:Collegium|Colab|JupyterLab|GitHub|CSV|Parquet|Markdown|Bash|Python 3|KB|null|del)$/

/** Words in the page that did not go through the catalogue. */
function unsaid(): string[] {
  const found: string[] = []
  const wordy = (text: string) => /\p{L}{2}/u.test(text) && !SAME.test(text.trim())
  /** What a person would read of this expression: literals and the fixed parts of templates, on both sides of a choice. */
  const literals = (node: ts.Node | undefined): string[] => {
    if (node === undefined) return []
    if (ts.isStringLiteralLike(node)) return [node.text]
    if (ts.isTemplateExpression(node)) return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
    if (ts.isJsxExpression(node) || ts.isParenthesizedExpression(node)) return literals(node.expression)
    if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)]
    if (ts.isBinaryExpression(node) && /^(?:\?\?|\|\||&&)$/.test(node.operatorToken.getText())) return [...(node.operatorToken.getText() === '&&' ? [] : literals(node.left)), ...literals(node.right)]
    return []
  }
  for (const file of files(SOURCES)) {
    if (/[\\/](?:examples|i18n|model)[\\/]/.test(file)) continue
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    const report = (texts: readonly string[]) => texts.filter(wordy).forEach((text) => found.push(`${file.slice(SOURCES.length + 1)}: ${text.trim()}`))
    const visit = (node: ts.Node): void => {
      if (ts.isJsxText(node)) report([node.text])
      else if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) report(literals(node))
      else if (ts.isJsxAttribute(node) && READ.has(node.name.getText(source))) report(literals(node.initializer))
      else if (ts.isCallExpression(node) && /^notify(?:Error)?$/.test(node.expression.getText(source))) {
        const [first] = node.arguments
        report(literals(first))
        if (first && ts.isObjectLiteralExpression(first)) for (const one of first.properties) if (ts.isPropertyAssignment(one) && READ.has(one.name.getText(source))) report(literals(one.initializer))
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return found
}

it('nothing is said past the catalogue', () => {
  expect(unsaid()).toEqual([])
})

describe('what is said', () => {
  it('is English without a catalogue, and fills in what it is given', () => {
    expect(t('Move “{name}” to the trash?', { name: '{x}' })).toBe('Move “{x}” to the trash?')
    expect([tn('{count} cell', '{count} cells', 1), tn('{count} cell', '{count} cells', 0)]).toEqual(['1 cell', '0 cells'])
  })

  it('follows the rules of the language', () => {
    speak('pl', { '{count} cells': { one: '{count} komórka', few: '{count} komórki', many: '{count} komórek', other: '{count} komórki' }, Cut: 'Wytnij' })
    expect([1, 2, 5, 22].map((n) => tn('{count} cell', '{count} cells', n))).toEqual(['1 komórka', '2 komórki', '5 komórek', '22 komórki'])
    expect([t('Cut'), t('Paste')]).toEqual(['Wytnij', 'Paste'])
    speak('en', {})
  })
})
