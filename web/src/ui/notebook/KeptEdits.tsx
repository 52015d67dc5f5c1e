/** Edits of this browser that did not become part of the notebook: shown beside what is there now, until the person decides. */
import './offline.css'
import { presentableDiff } from '@codemirror/merge'
import { History } from 'lucide-react'
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { at } from '../../i18n/formats'
import { msg, t } from '../../i18n'
import { uploadFile } from '../../api/upload'
import { cellOf } from '../../model/notebook'
import { bringIn, ipynb, keepAside, listAside } from '../../room/aside'
import { adopt, docOf, touched, type Versions, versions, write } from '../../room/rebase'
import type { SetAside } from '../../room/shelf'
import { Button, Dialog, notify, notifyError } from '../kit'
import { SourceText } from '../SourceText'
import { saveFile } from '../../outputs/saveFile'
import type { Desk } from './desk'
import { useDesk, useMay, useRoom } from './hooks'

/** `loose`: such edits where the browser could not keep them. */
export default function KeptEdits({ loose, gone = false }: { loose: readonly SetAside[]; gone?: boolean }) {
  const { records, settle } = useRecords(loose, gone)
  const [open, setOpen] = useState(false)
  if (records.length === 0) return null
  if (gone) return <Records records={records} settle={settle} gone />
  return (
    <section className="nb-notices" aria-label={t('Edits of this browser')}>
      <div className="nb-notice nb-notice-warn">
        <span className="nb-notice-icon">
          <History size={18} aria-hidden />
        </span>
        <div className="nb-notice-words" role="status">
          <strong>{t('Edits that you made in this browser are not in the notebook.')}</strong> {t('They are kept here until you decide about them.')}
        </div>
        <div className="nb-notice-actions">
          <Button weight="primary" small onClick={() => setOpen(true)}>{t('Review')}</Button>
        </div>
      </div>
      <Dialog open={open} onClose={() => setOpen(false)} title={t('Edits kept in this browser')} wide>
        <Records records={records} settle={settle} />
      </Dialog>
    </section>
  )
}

type Settle = (record: SetAside, next: SetAside | null) => Promise<void>

function useRecords(loose: readonly SetAside[], gone: boolean): { records: readonly SetAside[]; settle: Settle } {
  const desk = useDesk()
  const mayWrite = useMay('write')
  const online = useRoom((state) => state.connection === 'online')
  const [records, setRecords] = useState<readonly SetAside[]>(loose)
  useEffect(() => {
    if (!online && !gone) return
    let current = true
    void gather(desk, loose, mayWrite && !gone).then((found) => current && setRecords(found))
    return () => {
      current = false
    }
  }, [desk, loose, online, mayWrite, gone])
  const settle = useCallback<Settle>(
    async (record, next) => {
      setRecords((all) => all.flatMap((one) => (one.id !== record.id ? [one] : next ? [next] : [])))
      await keepAside(desk.me.id, record.id, next).catch(() => undefined)
    },
    [desk],
  )
  return { records, settle }
}

/** What waits for the person, after all that fits was brought in. */
async function gather(desk: Desk, loose: readonly SetAside[], mayWrite: boolean): Promise<SetAside[]> {
  const kept = await listAside(desk.me.id, desk.id).catch(() => [])
  const found: SetAside[] = []
  for (const record of [...kept, ...loose.filter((one) => !kept.some(({ id }) => id === one.id))]) {
    if (record.why !== 'epoch' || record.left || !mayWrite) {
      found.push(record)
      continue
    }
    const left = await bringIn(desk.me.id, desk.room.doc, record, desk.me.id).catch(() => record)
    if (left) found.push(left)
    else notify({ title: t('Your edits are in the notebook'), detail: t('It was replaced on the server while they waited in this browser.'), kind: 'good' })
  }
  return found
}

function Records({ records, settle, gone = false }: { records: readonly SetAside[]; settle: Settle; gone?: boolean }) {
  return records.map((record) => <Record key={record.id} record={record} settle={settle} gone={gone} />)
}

const WHY: Readonly<Record<SetAside['why'], string>> = {
  epoch: msg('The notebook was replaced on the server while these edits waited. All that fitted is in it; these cells were changed on both sides.'),
  refused: msg('The server refused these edits.'),
  role: msg('You may not change this notebook any more.'),
  gone: msg('The notebook was deleted, or is not shared with you any more.'),
}

function Record({ record, settle, gone }: { record: SetAside; settle: Settle; gone: boolean }) {
  const desk = useDesk()
  const mayWrite = useMay('write') && !gone
  const ours = useMemo(() => docOf(record.ours), [record])
  const cells = useMemo(() => record.left ?? touched(docOf(record.base), ours), [record, ours])
  const shown = gone ? [] : versions(desk.room.doc, ours, cells)
  const decided = (cell: string) => {
    const left = cells.filter((one) => one !== cell)
    void settle(record, left.length > 0 ? { ...record, left } : null)
  }
  return (
    <div className="kept">
      <p className="kept-why">{t(WHY[record.why])}</p>
      <p className="kept-when">{t('Kept {when}', { when: at('moment', record.at) })}</p>
      {shown.map((cell) => (
        <Cell key={cell.cell} versions={cell} actions={mayWrite && <Choice desk={desk} ours={ours} versions={cell} decided={decided} />} />
      ))}
      <Whole record={record} ours={ours} settle={settle} />
    </div>
  )
}

function Cell({ versions: { cell, ours, theirs }, actions }: { versions: Versions; actions: ReactNode }) {
  const changes = presentableDiff(theirs ?? '', ours)
  return (
    <div className="kept-cell" data-kept-cell={cell}>
      <div className="kept-versions">
        <div className="kept-version">
          <h3>{t('Yours')}</h3>
          <pre><SourceText text={ours} changed={changes.map(({ fromB, toB }) => [fromB, toB])} /></pre>
        </div>
        <div className="kept-version kept-there">
          <h3>{t('In the notebook')}</h3>
          {theirs === null ? <p className="kept-when">{t('This cell was deleted.')}</p> : <pre><SourceText text={theirs} changed={changes.map(({ fromA, toA }) => [fromA, toA])} /></pre>}
        </div>
      </div>
      {actions && <div className="kept-actions">{actions}</div>}
    </div>
  )
}

function Choice({ desk, ours, versions: { cell, ours: mine, theirs }, decided }: { desk: Desk; ours: ReturnType<typeof docOf>; versions: Versions; decided: (cell: string) => void }) {
  const { doc } = desk.room
  const use = () => {
    const there = cellOf(doc, cell)
    doc.transact(() => {
      if (!there) return adopt(doc, ours, cell)
      if (theirs === null) there.set('del', null)
      write(there, mine)
    })
    decided(cell)
  }
  const both = () => {
    const type = desk.type(cell) === 'markdown' ? 'markdown' : 'code'
    desk.insert(type, cell, mine)
    decided(cell)
  }
  return (
    <>
      <Button small weight="ghost" onClick={() => decided(cell)}>{theirs === null ? t('Leave it deleted') : t('Keep theirs')}</Button>
      {theirs !== null && <Button small weight="ghost" onClick={both}>{t('Keep both')}</Button>}
      <Button small weight="soft" onClick={use}>{theirs === null ? t('Bring it back') : t('Use mine')}</Button>
    </>
  )
}

/** The notebook as this browser has it. */
function Whole({ record, ours, settle }: { record: SetAside; ours: ReturnType<typeof docOf>; settle: Settle }) {
  const [, navigate] = useLocation()
  const [busy, setBusy] = useState(false)
  const name = `${record.name.replace(/\.ipynb$/, '')} (my edits).ipynb`
  const file = () => new File([ipynb(ours)], name, { type: 'application/json' })
  const save = async () => {
    setBusy(true)
    try {
      const { id } = await uploadFile(file(), null, () => undefined).done
      await settle(record, null)
      navigate(`/notebooks/${id}`)
    } catch (cause) {
      notifyError(t('The copy was not saved'), cause)
      setBusy(false)
    }
  }
  return (
    <div className="kept-whole">
      <Button small busy={busy} onClick={() => void save()}>{t('Save as my own copy')}</Button>
      <Button small onClick={() => saveFile(name, file())}>{t('Download')}</Button>
      <Button small weight="ghost" onClick={() => void settle(record, null)}>{t('Discard')}</Button>
    </div>
  )
}
