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
  for (const { name, menu, under } of COMMANDS) for (const text of [name, menu, under]) if (text !== undefined) found.texts.add(text)
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
