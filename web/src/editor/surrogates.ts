/** Keeps every edit whole: a change may never part the two halves of a character, or replicas drift for good. */
import { type ChangeSpec, EditorState, type Extension, type Transaction } from '@codemirror/state'
import { ySyncAnnotation } from 'y-codemirror.next'
import { splitsPair, wellFormed } from '../model/text'

export const guardSurrogates: Extension = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged || transaction.annotation(ySyncAnnotation) !== undefined) return transaction
  const mended = mend(transaction)
  return mended ? [{ changes: mended, effects: transaction.effects, scrollIntoView: transaction.scrollIntoView }] : transaction
})

/** The same changes on whole characters; null when they already are. */
function mend(transaction: Transaction): ChangeSpec[] | null {
  const doc = transaction.startState.doc
  const specs: { from: number; to: number; insert: string }[] = []
  let broken = false
  transaction.changes.iterChanges((from, to, _fromB, _toB, inserted) => {
    const insert = inserted.toString()
    const whole = wellFormed(insert)
    const wide = doc.sliceString(Math.max(0, from - 1), Math.min(doc.length, to + 1))
    const lead = from === 0 ? 0 : 1
    const start = splitsPair(wide, lead) ? from - 1 : from
    const end = splitsPair(wide, lead + to - from) ? to + 1 : to
    broken ||= start !== from || end !== to || whole !== insert
    specs.push({ from: Math.max(start, specs.at(-1)?.to ?? 0), to: end, insert: whole })
  })
  return broken ? specs : null
}
