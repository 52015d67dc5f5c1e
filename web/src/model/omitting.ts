/** Whether a notebook's outputs are for the page alone, said as Colab says it. */
import type * as Y from 'yjs'
import { metaOf, put, record, setColab } from './metadata'

/** No file, copy or revision of it has outputs. */
export const omitsOutputs = (doc: Y.Doc): boolean => record(metaOf(doc).get('md:colab')).private_outputs === true

export function omitOutputs(doc: Y.Doc, omitted: boolean): void {
  doc.transact(() => setColab(metaOf(doc), (colab) => put(colab, 'private_outputs', omitted || undefined)))
}
