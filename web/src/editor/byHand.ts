import type { ViewUpdate } from '@codemirror/view'

/** Whether the person at this editor changed the text: not a colleague, and not a program. */
export const writtenByHand = (update: ViewUpdate): boolean =>
  update.docChanged && update.transactions.some((one) => one.isUserEvent('input') || one.isUserEvent('delete'))
