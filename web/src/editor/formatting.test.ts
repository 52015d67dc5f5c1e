import { EditorState } from '@codemirror/state'
import { expect, test } from 'vitest'
import { block, bold, code, type Format, formula, heading, italic, link, list, numbered, quote, rule, table, todo } from './formatting'

/** Between `⟨` and `⟩` stands what is selected, before and after. */
function formatted(text: string, format: Format): string {
  const anchor = text.indexOf('⟨')
  const doc = text.replace('⟨', '')
  const head = doc.indexOf('⟩')
  const state = EditorState.create({ doc: doc.replace('⟩', ''), selection: { anchor, head } })
  const after = state.update(format(state)).state
  const { from, to } = after.selection.main
  const out = after.doc.toString()
  return `${out.slice(0, from)}⟨${out.slice(from, to)}⟩${out.slice(to)}`
}

test.each([
  ['a ⟨b⟩ c', bold, 'a **⟨b⟩** c'],
  ['a **⟨b⟩** c', bold, 'a ⟨b⟩ c'],
  ['a **⟨b⟩** c', italic, 'a ***⟨b⟩*** c'],
  ['a *⟨b⟩* c', italic, 'a ⟨b⟩ c'],
  ['⟨⟩', bold, '**⟨bold⟩**'],
  ['⟨x⟩', code, '`⟨x⟩`'],
  ['⟨x\ny⟩', code, '```⟨⟩\nx\ny\n```\n'],
  ['⟨words⟩', link, '[words](⟨https://⟩)'],
  ['⟨https://a.b/c⟩', link, '[⟨⟩](https://a.b/c)'],
  ['⟨x\ny⟩', formula, '$$\n⟨x\ny⟩\n$$'],
  ['⟨⟩words', heading, '# ⟨⟩words'],
  ['### ⟨⟩words', heading, '⟨⟩words'],
  ['⟨a\nb⟩', list, '- ⟨a\n- b⟩'],
  ['- ⟨a\n- b⟩', list, '⟨a\nb⟩'],
  ['- ⟨a\n- b⟩', numbered, '1. ⟨a\n2. b⟩'],
  ['  - ⟨a⟩', todo, '  - [ ] ⟨a⟩'],
  ['- [x] ⟨a⟩', todo, '⟨a⟩'],
  ['- [x] ⟨a⟩', list, '- ⟨a⟩'],
  ['⟨a⟩', quote, '> ⟨a⟩'],
  ['> ⟨a⟩', quote, '⟨a⟩'],
  ['text⟨⟩', rule, 'text\n\n---⟨⟩\n'],
  ['⟨⟩\nnext', table, '| ⟨Column⟩ | Column |\n| --- | --- |\n| cell | cell |\n\n\nnext'],
] satisfies [string, Format, string][])('%s', (before, format, after) => {
  expect(formatted(before, format)).toBe(after)
})

test('a block stands apart from the text around it', () => {
  expect(formatted('one⟨⟩\ntwo', block('X', 'X'))).toBe('one\n\n⟨X⟩\n\n\ntwo')
})
