import { expect, test } from 'vitest'
import { FORMS, richest, unknownOf } from './mime'

const PLACES = { page: 'in the page', frame: 'in the cell’s frame' } as const

function reference(): string {
  const rows = FORMS.map(({ types, place, shown }) => `| ${types.replaceAll('*', '\\*')} | ${PLACES[place]} | ${shown} |`)
  return [
    '# Kinds of output',
    '',
    'Made from the table in `web/src/outputs/mime.ts`; `npm exec vitest run -- -u` in `web/` writes it anew. Of several forms',
    'of one output the first in this list is shown. [Outputs are strangers](../concepts/outputs.md) says what the places mean.',
    '',
    '| MIME type | place | shown as |',
    '| --- | --- | --- |',
    ...rows,
    '',
    'A type that is not here is shown as its `text/plain`, under a note that names it.',
    '',
  ].join('\n')
}

test('the reference of kinds is this table', async () => {
  await expect(reference()).toMatchFileSnapshot('../../../docs/reference/mime-types.md')
})

test('every type that the table names is found by its own row', () => {
  for (const { types, match } of FORMS)
    for (const type of types.split(/, | … /).filter((one) => /^[\w.+/-]+$/.test(one) && one.includes('/'))) expect(match.test(type), type).toBe(true)
})

test.each([
  [{ 'text/plain': 'x', 'application/x-odd': 'y' }, 'application/x-odd'],
  [{ 'text/plain': 'x', 'application/vnd.odd+json': {} }, 'application/vnd.odd+json'],
  [{ 'text/plain': 'x', 'text/html': 'y', 'application/x-odd': 'z' }, null],
  [{ 'text/plain': 'x', 'application/vnd.google.colaboratory.intrinsic+json': { type: 'string' } }, null],
  [{ 'text/plain': 'x' }, null],
])('of %o the one that cannot be shown is %s', (data, mime) => {
  expect(unknownOf(data)).toBe(mime)
})

test('a hint about the others is no form', () => {
  expect(richest({ 'application/vnd.google.colaboratory.intrinsic+json': {}, 'text/html': 'a' })?.mime).toBe('text/html')
})
