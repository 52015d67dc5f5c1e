/** A cell's outputs as text, for the clipboard. */
import { isBlob, joined, type Output } from '../model/wire'
import { withoutAnsi } from './ansi'
import { DATA, TEXTS } from './offers'
import { textOf } from './values'

/** What IPython's own displays say of themselves is a name, which nobody wants to paste. */
const NAME = /^<IPython\.(?:core|lib)\.display\.\w+ object>$/
const SAID = ['text/markdown', 'text/latex', ...DATA] as const

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
          const found = (mimes: readonly string[]) => mimes.map((mime) => output.data[mime]).find((one) => one !== undefined && !isBlob(one))
          const plain = output.data['text/plain']
          const value = (plain !== undefined && NAME.test(textOf(plain)) ? found(SAID) : undefined) ?? found(TEXTS)
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
