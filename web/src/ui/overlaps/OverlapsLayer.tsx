/** Says how many cells wait for a decision between what is here and what a file says, and leads from one to the next. */
import { ChevronDown, ChevronUp, FileDiff } from 'lucide-react'
import { useEffect } from 'react'
import { useStore } from 'zustand'
import { t } from '../../i18n'
import { IconButton } from '../kit'
import { useDesk, useOrder, useView } from '../notebook/hooks'
import './overlaps.css'
import { follow } from './store'

export default function OverlapsLayer() {
  const desk = useDesk()
  useEffect(() => follow(desk), [desk])
  const met = useStore(desk.overlaps)
  const order = useOrder()
  const focused = useView((view) => view.focused)
  const cells = order.filter((id) => met.has(id))
  if (cells.length === 0) return null
  const here = focused === null ? -1 : cells.indexOf(focused)
  const goTo = (by: 1 | -1) => {
    const from = here >= 0 ? here : by === 1 ? -1 : cells.length
    const id = cells[(from + by + cells.length) % cells.length]!
    desk.goTo(id)
    desk.placeOf(id)?.querySelector('.overlap')?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <section className="overlaps-bar" aria-label={t('Overlaps')}>
      <FileDiff size={18} aria-hidden />
      <p role="status" aria-label={t('Overlaps said')}>
        {cells.length === 1 ? t('One cell was changed here and in a file.') : t('{length} cells were changed here and in a file.', { length: cells.length })} {t('Nothing is lost: choose what to keep.')}
      </p>
      {here >= 0 && cells.length > 1 && <span className="overlaps-at">{t('{number} of {count}', { number: here + 1, count: cells.length })}</span>}
      <IconButton label={t('Previous overlap')} icon={<ChevronUp size={18} aria-hidden />} onClick={() => goTo(-1)} />
      <IconButton label={t('Next overlap')} icon={<ChevronDown size={18} aria-hidden />} onClick={() => goTo(1)} />
    </section>
  )
}
