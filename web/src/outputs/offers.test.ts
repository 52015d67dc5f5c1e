import { describe, expect, it } from 'vitest'
import type { MimeBundle, Output } from '../model/wire'
import { copied } from './copied'
import { canSaveAs, type SaveAs } from './offers'

const shown = (data: MimeBundle): Output => ({ output_type: 'display_data', data, metadata: {} })
const ALL: readonly SaveAs[] = ['txt', 'png', 'svg', 'jpg', 'pdf', 'html', 'csv', 'json']

describe('what an output can be saved as', () => {
  it.each<[string, readonly Output[], readonly SaveAs[]]>([
    ['nothing', [], []],
    ['what was printed', [{ output_type: 'stream', name: 'stdout', text: 'x' }], ['txt']],
    ['a document alone', [shown({ 'application/pdf': 'JVBERi0=' })], ['pdf']],
    ['a picture with its words', [shown({ 'image/png': 'aaaa', 'text/plain': '<Figure>' })], ['txt', 'png']],
    ['data', [shown({ 'application/json': { a: 1 } })], ['txt', 'json']],
    ['a map', [shown({ 'application/geo+json': {}, 'text/plain': '<IPython.display.GeoJSON object>' })], ['txt', 'json']],
    ['a table', [shown({ 'text/html': '<table>', 'text/plain': 'a' })], ['txt', 'html', 'csv']],
  ])('%s', (_, outputs, as) => expect(ALL.filter((one) => canSaveAs(outputs, one))).toEqual(as))
})

describe('an output as text', () => {
  const name = (kind: string) => `<IPython.core.display.${kind} object>`
  it('is what it says rather than the name of its class', () => {
    expect(copied([shown({ 'text/plain': name('JSON'), 'application/json': { a: [1] } })])).toContain('"a"')
    expect(copied([shown({ 'text/plain': name('Markdown'), 'text/markdown': '# Words' })])).toBe('# Words\n')
    expect(copied([shown({ 'text/plain': name('HTML'), 'text/html': '<b>x</b>' })])).toBe(`${name('HTML')}\n`)
    expect(copied([shown({ 'text/plain': 'three', 'application/json': 3 })])).toBe('three\n')
  })
})
