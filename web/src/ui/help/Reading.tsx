/** What there is to read about Collegium, as it came with this page. */
import './help.css'
import { useEffect, useState } from 'react'
import { t } from '../../i18n'
import { Markdown } from '../../outputs/Markdown'
import { Spinner } from '../kit'

export type Text = 'questions' | 'release-notes'

const TEXTS: Readonly<Record<Text, () => Promise<{ readonly default: string }>>> = {
  questions: () => import('../../../../docs/guides/questions.md?raw'),
  'release-notes': () => import('../../../../CHANGELOG.md?raw'),
}

export default function Reading({ text }: { text: Text }) {
  const [source, setSource] = useState<string>()
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    TEXTS[text]().then(({ default: read }) => setSource(read), () => setFailed(true))
  }, [text])
  if (failed) return <p role="alert">{t('This could not be loaded.')}</p>
  if (source === undefined) return <Spinner label={t('Loading')} />
  // The dialog has the title; what leads to other pages of the documentation leads nowhere here.
  return (
    <div className="reading" role="group" aria-label={t('Text')} tabIndex={0}>
      <Markdown source={source.replace(/^# .*\n/, '').replace(/\[([^\]]+)\]\((?!https?:)[^)]*\)/g, '$1')} />
    </div>
  )
}
