/** Source that is only read: text in the colours of its grammar, without an editor. */
import { pythonLanguage } from '@codemirror/lang-python'
import { classHighlighter, highlightCode } from '@lezer/highlight'
import { type ReactNode, useMemo } from 'react'
import { t } from '../../i18n'
import type { Grammar } from '../../editor/editor'
import { SourceText } from '../SourceText'

const COLOURED_CHARACTERS_MAX = 20_000

export function StillSource({ source, grammar }: { source: string; grammar: Grammar }) {
  const shown = useMemo(() => coloured(source, grammar), [source, grammar])
  return (
    <div className="source">
      <pre className="source-still past-source" tabIndex={0} role="textbox" aria-label={t('Source')} aria-readonly="true" aria-multiline="true">
        {shown}
      </pre>
    </div>
  )
}

function coloured(source: string, grammar: Grammar): ReactNode {
  if (grammar !== 'python' || source.length > COLOURED_CHARACTERS_MAX) return <SourceText text={source} />
  const pieces: ReactNode[] = []
  const put = (text: string, classes: string) => pieces.push(classes === '' ? <SourceText key={pieces.length} text={text} /> : <span key={pieces.length} className={classes}><SourceText text={text} /></span>)
  highlightCode(source, pythonLanguage.parser.parse(source), classHighlighter, put, () => pieces.push('\n'))
  return pieces
}
