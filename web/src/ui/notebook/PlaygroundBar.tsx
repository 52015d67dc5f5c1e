/** What stands above the cells of a playground, and of a notebook that one may only read. */
import './playground.css'
import { Eye, FlaskConical } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { t } from '../../i18n'
import { drive } from '../../api/drive'
import { cellOf } from '../../model/notebook'
import { useAccount, useIsGuest } from '../account'
import { Button, ConfirmDialog, notify, notifyError } from '../kit'
import { useDesk, useMay, useRoom } from './hooks'
import { discardPlayground, openPlayground, takeAwaited } from './playground'

export default function PlaygroundBar() {
  const original = useRoom((state) => state.playgroundOf)
  const mayRun = useMay('run')
  if (original !== null) return <InPlayground original={original} />
  return mayRun ? null : <Reading />
}

function InPlayground({ original }: { original: string }) {
  const desk = useDesk()
  const ready = useRoom((state) => state.ready)
  const mayRun = useMay('run')
  const [saving, setSaving] = useState(false)
  const [discarding, setDiscarding] = useState(false)
  useEffect(() => {
    if (!ready || !mayRun) return
    const cell = takeAwaited(desk.id)
    if (cell === null || !cellOf(desk.room.doc, cell)) return
    desk.goTo(cell)
    desk.run([cell])
  }, [desk, ready, mayRun])
  const save = async () => {
    setSaving(true)
    try {
      const { name } = await drive.savePlayground(desk.id)
      desk.room.state.setState({ name, playgroundOf: null })
      notify({ title: t('Saved as “{name}”', { name }), detail: t('It is in your folder Notebooks.'), kind: 'good' })
    } catch (cause) {
      notifyError(t('The copy was not saved'), cause)
      setSaving(false)
    }
  }
  return (
    <section className="playground" aria-label={t('Playground')}>
      <FlaskConical size={18} aria-hidden />
      <p>
        <strong>{t('Playground')}</strong> · {t('Changes are not kept.')}
      </p>
      <div className="playground-actions">
        <Button small weight="primary" busy={saving} onClick={() => void save()}>{t('Save a copy')}</Button>
        <Button small weight="ghost" onClick={() => setDiscarding(true)}>{t('Discard')}</Button>
        <Link className="playground-back" href={`/notebooks/${original}`}>{t('Back to the original')}</Link>
      </div>
      <ConfirmDialog
        open={discarding}
        onClose={() => setDiscarding(false)}
        onConfirm={() => discardPlayground(desk.id, original)}
        title={t('Discard this playground?')}
        description={t('What you changed and ran in it is deleted, with its runtime. The original stays as it is.')}
        confirm={t('Discard')}
        danger
      />
    </section>
  )
}

function Reading() {
  const desk = useDesk()
  const guest = useIsGuest()
  const { enter } = useAccount()
  const mayComment = useMay('comment')
  const [opening, setOpening] = useState(false)
  const open = async () => {
    setOpening(true)
    await openPlayground(desk.id, null)
    setOpening(false)
  }
  return (
    <section className="playground" aria-label={t('Your access')}>
      <Eye size={18} aria-hidden />
      <p>{mayComment ? t('You may look at this notebook and comment.') : t('You may look at this notebook.')} {t('To run and change it, open it in a playground of your own.')}</p>
      <div className="playground-actions">
        {guest ? (
          <Button small weight="soft" onClick={enter}>{t('Sign in to run it')}</Button>
        ) : (
          <Button small weight="soft" busy={opening} onClick={() => void open()}>{t('Open in playground')}</Button>
        )}
      </div>
    </section>
  )
}
