/** What every drawer of a form is given, and what it shows while its value is on the way. */
import { t } from '../i18n'
import type { MimeValue, NotebookId, OutputMetadata } from '../model/wire'
import type { Text } from './values'

export interface DrawnProps {
  readonly value: MimeValue
  readonly notebook: NotebookId
  readonly mime: string
  readonly metadata: OutputMetadata | undefined
}

export function Waiting({ text }: { text: Exclude<Text, { state: 'ready' }> }) {
  return text.state === 'loading' ? <p className="output-hint">{t('Loading…')}</p> : <p className="output-problem">{text.message}</p>
}
