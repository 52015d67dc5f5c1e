// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import type { MimeBundle, Output } from '../model/wire'
import { richest } from './mime'
import { framed, needsFrame } from './place'
import { clean } from './sanitize'

const display = (data: MimeBundle): Output => ({ output_type: 'display_data', data, metadata: {} })
const printed: Output = { output_type: 'stream', name: 'stdout', text: 'a\n' }
const needs = (output: Output) => needsFrame(output, (html) => clean(html))

describe('the form that is shown', () => {
  test.each<[string, MimeBundle, string | null]>([
    ['a table rather than its text', { 'text/plain': 'a', 'text/html': '<b>a</b>' }, 'text/html'],
    ['a figure rather than its page', { 'text/html': '<div>', 'application/vnd.plotly.v1+json': {} }, 'application/vnd.plotly.v1+json'],
    ['a chart of either Vega-Lite', { 'text/plain': '', 'application/vnd.vegalite.v5+json': {} }, 'application/vnd.vegalite.v5+json'],
    ['a picture', { 'text/plain': '<Figure>', 'image/png': 'AAAA' }, 'image/png'],
    ['Markdown', { 'text/plain': '', 'text/markdown': '' }, 'text/markdown'],
    ['any text there is', { 'text/x-odd': 'a' }, 'text/x-odd'],
    ['nothing that is not known', { 'application/x-odd': 'a' }, null],
  ])('is %s', (_, data, mime) => {
    expect(richest(data)?.mime ?? null).toBe(mime)
  })
})

describe('the frame', () => {
  test.each<[string, Output]>([
    ['script', display({ 'application/javascript': 'x' })],
    ['HTML with a script', display({ 'text/html': ['<div></div>', '<script>x</script>'] })],
    ['HTML that begins with a style sheet', display({ 'text/html': '<style>#a{color:red}</style><p id="a">x</p>' })],
    ['HTML that asks the network', display({ 'text/html': '<img src="https://elsewhere.example/a.png">' })],
    ['a Plotly figure', display({ 'application/vnd.plotly.v1+json': {} })],
    ['HTML too large to be cleaned here', display({ 'text/html': 'x'.repeat(2_000_001) })],
    ['HTML too large to be looked at here', display({ 'text/html': { $blob: 'a', size: 50_000_000, mime: 'text/html' } })],
  ])('is needed by %s', (_, output) => {
    expect(needs(output)).toBe(true)
  })

  test.each<[string, Output]>([
    ['printed text', printed],
    ['a picture', display({ 'image/png': 'AAAA' })],
    ['a drawing, which is shown as a picture', display({ 'image/svg+xml': '<svg><script>x</script></svg>' })],
    ['plain HTML', display({ 'text/html': '<table><tr><td>once = 1</td></tr></table>' })],
    ['an error', { output_type: 'error', ename: 'E', evalue: '', traceback: [] }],
  ])('is not needed by %s', (_, output) => {
    expect(needs(output)).toBe(false)
  })

  test('takes the element that a script fills together with the script', () => {
    const outputs = [printed, display({ 'text/html': '<div id="a"></div>' }), printed, display({ 'application/javascript': 'x' }), printed]

    expect(framed(outputs, needs)).toEqual([1, 4])
    expect(framed([printed], needs)).toBeNull()
  })
})
