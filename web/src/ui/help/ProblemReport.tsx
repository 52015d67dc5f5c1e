/** A report of a problem: what the person says, and what helps whoever reads it. It is sent nowhere. */
import './help.css'
import { Copy } from 'lucide-react'
import { useState } from 'react'
import { t } from '../../i18n'
import { build } from '../../shell/build'
import { Button, notify, notifyError } from '../kit'
import { useDesk } from '../notebook/hooks'
import type { Desk } from '../notebook/desk'

export default function ProblemReport({ onClose }: { onClose: () => void }) {
  const desk = useDesk()
  const [said, setSaid] = useState('')
  const facts = factsOf(desk)
  const report = `${said.trim()}\n\n${facts}\n`
  const copy = () => {
    navigator.clipboard.writeText(report).then(
      () => {
        notify({ title: t('The report is copied'), detail: t('Send it to whoever runs this Collegium.'), kind: 'good' })
        onClose()
      },
      (error: unknown) => notifyError(t('This browser gives the clipboard only to https pages'), error),
    )
  }
  return (
    <div className="problem-report">
      <label htmlFor="problem-said">{t('What did you do, what did you expect, and what happened?')}</label>
      <textarea id="problem-said" className="field-control" rows={5} autoFocus value={said} onChange={(event) => setSaid(event.target.value)} />
      <h3>{t('What goes with it')}</h3>
      <pre tabIndex={0}>{facts}</pre>
      <p className="problem-note">{t('Nothing of the notebook’s content is in it. Copy the report, and send it to whoever runs this Collegium.')}</p>
      <div className="dialog-actions">
        <Button weight="primary" icon={<Copy size={16} aria-hidden />} disabled={said.trim() === ''} onClick={copy}>
          {t('Copy the report')}
        </Button>
      </div>
    </div>
  )
}

function factsOf(desk: Desk): string {
  const { connection } = desk.room.state.getState()
  const { runtime, kernel } = desk.session.state.getState()
  return [
    `Page: ${build() || 'development'}`,
    `Notebook: ${desk.id}, ${desk.outline.current().length} cells, ${connection}`,
    `Runtime: ${runtime ? `${runtime.id}, ${runtime.state}` : 'none'}${kernel ? `; kernel ${kernel.state}` : ''}`,
    `Browser: ${navigator.userAgent}`,
    `Window: ${innerWidth} × ${innerHeight} at ${devicePixelRatio}`,
    `Time: ${new Date().toISOString()}`,
  ].join('\n')
}
