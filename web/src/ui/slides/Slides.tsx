/**
 * The notebook as slides. They are the page's own cells, with all but those of one slide out of sight: what runs goes
 * on, editors and outputs are alive, and nothing is drawn twice.
 */
import './slides.css'
import { ChevronLeft, ChevronRight, X } from 'lucide-react'
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { t } from '../../i18n'
import { headingsIn } from '../../model/headings'
import { cellOf, textOf, typeOf } from '../../model/notebook'
import { metadataOf } from '../../model/facts'
import type { CellId } from '../../model/wire'
import { IconButton } from '../kit'
import type { Desk } from '../notebook/desk'
import { useChrome, useDesk, useOrder } from '../notebook/hooks'
import { moved, placeOf, type Position, type Slide, type SlideCell, slidesOf } from './slides'

export default function Slides() {
  const asked = useChrome((chrome) => chrome.slides)
  return asked === null ? null : <Show from={asked.from} />
}

const size = { size: 18, 'aria-hidden': true } as const

function Show({ from }: { from: 'here' | 'start' }) {
  const desk = useDesk()
  const order = useOrder()
  const told = useTexts(desk)
  const slides = useMemo(() => slidesOf(order.flatMap((id) => cellOfSlide(desk, id))), [desk, order, told])
  const [position, setPosition] = useState<Position>(() => placeOf(slides, order, from === 'here' ? desk.view.getState().focused : null))
  const here = slides[position.slide] ? position : moved(slides, position, 'last')
  const latest = useRef({ slides, here })
  latest.current = { slides, here }
  const go = useRef((to: Parameters<typeof moved>[2]) => setPosition(moved(latest.current.slides, latest.current.here, to))).current
  const end = useRef(() => desk.chrome.setState({ slides: null })).current

  useStage(desk, end)
  useKeys(go, end)
  useShown(slides, here)
  const cell = slides[here.slide]?.steps[here.step]?.[0]
  useEffect(() => {
    if (cell === undefined) return
    desk.act({ do: 'focus', cell, editing: false })
    const root = desk.placeOf(cell)
    if (here.step === 0) document.querySelector('.notebook-scroll')?.scrollTo(0, 0)
    else root?.scrollIntoView({ block: 'nearest' })
  }, [desk, cell, here.step])

  return (
    <div className="slides-bar" role="toolbar" aria-label={t('Slideshow')} data-keys="own">
      <IconButton label={t('Previous slide')} icon={<ChevronLeft {...size} />} onClick={() => go('previous')} />
      <span className="slides-place" role="status" aria-label={t('Slide')}>
        {Math.min(here.slide + 1, slides.length)} / {slides.length}
      </span>
      <IconButton label={t('Next slide')} icon={<ChevronRight {...size} />} onClick={() => go('next')} />
      <IconButton label={t('End slideshow')} icon={<X {...size} />} onClick={end} />
    </div>
  )
}

function cellOfSlide(desk: Desk, id: CellId): SlideCell[] {
  const cell = cellOf(desk.room.doc, id)
  if (!cell) return []
  const type = typeOf(cell)
  const slideshow = metadataOf(cell)?.get('slideshow') as { slide_type?: unknown } | undefined
  const kind = typeof slideshow?.slide_type === 'string' ? slideshow.slide_type : null
  return [{ id, type, heading: type === 'markdown' && headingsIn(textOf(cell).toString()).length > 0, kind }]
}

const REST_MS = 400

/** Changes when somebody has written something, and then rested. */
function useTexts({ room }: Desk): number {
  const count = useRef(0)
  return useSyncExternalStore(
    useMemo(
      () => (notify: () => void) => {
        let timer: ReturnType<typeof setTimeout> | undefined
        const changed = () => {
          timer ??= setTimeout(() => {
            timer = undefined
            count.current += 1
            notify()
          }, REST_MS)
        }
        room.doc.on('update', changed)
        return () => {
          clearTimeout(timer)
          room.doc.off('update', changed)
        }
      },
      [room],
    ),
    () => count.current,
  )
}

/** The whole screen, with every section open; afterwards all is as it was. */
function useStage(desk: Desk, end: () => void): void {
  useEffect(() => {
    const root = document.documentElement
    const scroll = document.querySelector('.notebook-scroll')
    const top = scroll?.scrollTop ?? 0
    const folded = [...desk.view.getState().folded]
    desk.act({ do: 'fold', cells: folded, folded: false })
    desk.chrome.setState({ find: null })
    root.dataset.slides = ''
    let full = false
    const left = () => {
      if (document.fullscreenElement) full = true
      else if (full) end()
    }
    document.addEventListener('fullscreenchange', left)
    // Without it, the slides fill the window.
    root.requestFullscreen?.().catch(() => undefined)
    return () => {
      document.removeEventListener('fullscreenchange', left)
      if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined)
      delete root.dataset.slides
      desk.act({ do: 'fold', cells: folded, folded: true })
      if (location.hash.includes('slideshowMode')) history.replaceState(null, '', location.pathname + location.search)
      const { focused } = desk.view.getState()
      if (focused !== null) desk.placeOf(focused)?.scrollIntoView({ block: 'nearest' })
      else scroll?.scrollTo(0, top)
    }
  }, [desk, end])
}

const KEYS: Readonly<Record<string, 'next' | 'previous' | 'first' | 'last'>> = {
  ArrowRight: 'next', ArrowDown: 'next', PageDown: 'next', ' ': 'next', ArrowLeft: 'previous', ArrowUp: 'previous', PageUp: 'previous', Backspace: 'previous', Home: 'first', End: 'last',
}

function useKeys(go: (to: 'next' | 'previous' | 'first' | 'last') => void, end: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target, key, shiftKey } = event
      if (event.ctrlKey || event.metaKey || event.altKey) return
      // Whoever writes in a cell or moves a slider has these keys for themselves.
      if (target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"], [role="slider"], [role="dialog"]')) return
      const to = key === ' ' && shiftKey ? 'previous' : KEYS[key]
      if (key === ' ' && target instanceof Element && target.closest('button, a, summary')) return
      if (key !== 'Escape' && to === undefined) return
      event.preventDefault()
      event.stopPropagation()
      if (to === undefined) end()
      else go(to)
    }
    // Before the notebook's own keys.
    addEventListener('keydown', pressed, { capture: true })
    return () => removeEventListener('keydown', pressed, { capture: true })
  }, [go, end])
}

/** A sheet of its own says which cells are seen. On paper, each slide is a page. */
function useShown(slides: readonly Slide[], { slide, step }: Position): void {
  const sheet = useRef<CSSStyleSheet>(null)
  useEffect(() => {
    const made = (sheet.current = new CSSStyleSheet())
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, made]
    return () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== made)
    }
  }, [])
  useEffect(() => {
    const select = (cells: readonly CellId[]) => `[data-slides] .cell-group > :is(${cells.map((id) => `[data-cell-id="${CSS.escape(id)}"]`).join(', ') || '#none'})`
    const seen = slides[slide]?.steps.slice(0, step + 1).flat() ?? []
    const all = slides.flatMap(({ steps }) => steps.flat())
    const first = slides.slice(1).flatMap(({ steps }) => steps[0]!.slice(0, 1))
    sheet.current?.replaceSync(`@media screen { ${select(seen)} { display: block } } @media print { ${select(all)} { display: block } ${select(first)} { break-before: page } }`)
  }, [slides, slide, step])
}
