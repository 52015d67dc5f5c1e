/** A cell's outputs as text, for the clipboard. */
import { isBlob, joined, type Output } from '../model/wire'
import { withoutAnsi } from './ansi'
import { textOf } from './values'

const FORMS = ['text/plain', 'text/markdown', 'text/latex', 'application/json', 'text/html'] as const

export function copied(outputs: readonly Output[]): string {
  return outputs
    .map((output) => {
      switch (output.output_type) {
        case 'stream':
          return withoutAnsi(joined(output.text))
        case 'error':
          return withoutAnsi(output.traceback.join('\n') || `${output.ename}: ${output.evalue}`)
        case 'display_data':
        case 'execute_result': {
          const value = FORMS.map((mime) => output.data[mime]).find((one) => one !== undefined && !isBlob(one))
          return value === undefined ? '' : textOf(value)
        }
        default:
          return ''
      }
    })
    .filter((text) => text !== '')
    .map((text) => (text.endsWith('\n') ? text : `${text}\n`))
    .join('')
}
