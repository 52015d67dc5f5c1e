/** Every command and every heading by a few letters of its name. */
import './palette.css'
import { useMemo, useState } from 'react'
import { t } from '../../i18n'
import { headingsIn } from '../../model/headings'
import { cellOf, textOf, typeOf } from '../../model/notebook'
import { classes } from '../kit'
import { Picker } from '../kit/Picker'
import type { Desk } from '../notebook/desk'
import { useDesk } from '../notebook/hooks'
import { keyShown } from './keys'
import { type Command, usable } from './model'
import { score } from './ranking'
import { ran, recent } from './recent'
import { COMMANDS } from './table'
import { whyNot } from './whyNot'

/** More would only be scrolled past. */
const SHOWN_MAX = 60
const RECENT_POINTS = 3
/** What cannot be used now stands after what can, unless it has another name than that. */
const UNUSABLE_POINTS = 3
const GOOD_POINTS = 4
const GIVEN_BACK_MS_MAX = 1000

interface Found {
  readonly key: string
  readonly name: string
  readonly path: string
  readonly keys?: string | undefined
  readonly late?: boolean
  readonly checked?: boolean
  /** Why it cannot be used now. */
  readonly why?: string
  readonly go: () => void
}

export default function Palette() {
  const desk = useDesk()
  const [query, setQuery] = useState('')
  // What can be done, and what was done last, when it was opened.
  const all = useMemo(() => commandsOf(desk), [desk])
  const headings = useMemo(() => headingsOf(desk), [desk])
  const found = useMemo(() => ranked(query, all, headings), [query, all, headings])
  const go = (one: Found) => {
    // The second press of a double click, while the dialog goes, is none.
    if (one.why !== undefined || desk.chrome.getState().dialog !== 'palette') return
    desk.open(null)
    onceGivenBack(one.go)
  }
  return (
    <Picker
      label={t('Find a command')}
      placeholder={t('A command, or a heading of this notebook')}
      list={t('Commands')}
      query={query}
      onQuery={setQuery}
      found={found}
      onPick={go}
      none={t('No command has that name.')}
      entry={(one, before) => ({ 'data-command': one.key, 'data-checked': one.checked, 'aria-disabled': one.why !== undefined || undefined, className: classes(before?.late && !one.late && 'palette-first') })}
    >
      {({ name, path, keys, why }) => (
        <>
          <span className="palette-name">
            {name}
            <span className="palette-path">{path}</span>
            {why !== undefined && <span className="palette-why">{why}</span>}
          </span>
          {keys !== undefined && <kbd>{keys}</kbd>}
        </>
      )}
    </Picker>
  )
}

/** Once the dialog has given the focus back, the command may move it, or remember where it was. */
function onceGivenBack(then: () => void, until = performance.now() + GIVEN_BACK_MS_MAX): void {
  // A time and not a number of frames: a dialog goes as slowly on a quick screen.
  if (performance.now() > until || document.querySelector('.dialog') === null) setTimeout(then)
  else requestAnimationFrame(() => onceGivenBack(then, until))
}

function commandsOf(desk: Desk): readonly Found[] {
  const late = recent()
  return COMMANDS.filter((command) => command.id !== 'palette').map((command) => ({
    key: command.id,
    name: t(command.name),
    path: pathOf(command, desk),
    ...(command.checked && { checked: command.checked(desk) }),
    ...(!usable(command, desk) && { why: whyNot(command, desk) ?? t('Not possible here now') }),
    keys: keyShown(command),
    late: late.includes(command.id),
    go: () => {
      ran(command.id)
      if (usable(command, desk)) command.run(desk)
    },
  })).sort((a, b) => rank(late, a.key) - rank(late, b.key))
}

const rank = (late: readonly string[], id: string): number => (late.includes(id) ? late.indexOf(id) : late.length)

function pathOf({ menu, under, checked }: Command, desk: Desk): string {
  const path = [menu, under].filter((step) => step !== undefined).map((step) => t(step)).join(' › ')
  return checked === undefined ? path : `${path} · ${checked(desk) ? t('on') : t('off')}`
}

function headingsOf(desk: Desk): readonly Found[] {
  return desk.outline.current().flatMap((cell) => {
    const map = cellOf(desk.room.doc, cell)
    if (!map || typeOf(map) !== 'markdown') return []
    return headingsIn(textOf(map).toString()).map(({ text }, index) => ({ key: `${cell}-${index}`, name: text, path: t('Heading'), go: () => desk.goTo(cell) }))
  })
}

function ranked(query: string, commands: readonly Found[], headings: readonly Found[]): readonly Found[] {
  if (query.trim() === '') return commands.filter(({ why }) => why === undefined)
  const found = [...commands, ...headings].flatMap((one) => {
    const points = score(query, `${one.path} ${one.name}`)
    return points === null ? [] : [{ one, points: points + (one.late ? RECENT_POINTS : 0) - (one.why === undefined ? 0 : UNUSABLE_POINTS) }]
  })
  // What only has the letters is for those who found nothing better.
  const good = found.some(({ points }) => points >= GOOD_POINTS)
  return found
    .filter(({ points }) => !good || points >= GOOD_POINTS)
    .sort((a, b) => b.points - a.points)
    .slice(0, SHOWN_MAX)
    .map(({ one }) => one)
}
