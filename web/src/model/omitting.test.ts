import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { metaOf } from './metadata'
import { omitOutputs, omitsOutputs } from './omitting'

test('a notebook says as Colab does that its outputs are not saved, and what stands beside it stays', () => {
  const doc = new Y.Doc()
  metaOf(doc).set('md:colab', { provenance: [1] })
  expect(omitsOutputs(doc)).toBe(false)
  omitOutputs(doc, true)

  expect(omitsOutputs(doc)).toBe(true)
  expect(metaOf(doc).get('md:colab')).toEqual({ provenance: [1], private_outputs: true })
  omitOutputs(doc, false)
  expect(metaOf(doc).get('md:colab')).toEqual({ provenance: [1] })
})

test('strange words are none of it', () => {
  const doc = new Y.Doc()
  for (const colab of ['private_outputs', { private_outputs: 'yes' }, null]) {
    metaOf(doc).set('md:colab', colab)

    expect(omitsOutputs(doc)).toBe(false)
  }
})
